"""HTTP plugins by their OpenAPI documents: which operation, what it is sent, what it answers."""
