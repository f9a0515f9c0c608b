"""Django's PostgreSQL backend, for a server that restarts, goes away or is overwhelmed: the ENGINE of settings."""
