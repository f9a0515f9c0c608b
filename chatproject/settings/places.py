"""Where data, PostgreSQL and Redis are, and the secrets."""

import secrets
from pathlib import Path

from chatproject import embedded
from chatproject.lib import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

# --- Where things are ------------------------------------------------------------------------------------

# Folder for the embedded services' data and for generated secrets.
DATA_DIR = Path(env.text("DATA_DIR") or embedded.default_data_dir(BASE_DIR)).resolve()
_embedded_database, _embedded_redis = embedded.urls(DATA_DIR)
# PostgreSQL 16+ with pgvector; unset = the embedded server in DATA_DIR.
DATABASE_URL = env.text("DATABASE_URL") or _embedded_database
# Redis 6.2+; unset = the embedded server in DATA_DIR.
REDIS_URL = env.text("REDIS_URL") or _embedded_redis

# --- Secrets ---------------------------------------------------------------------------------------------

# Django's key for signatures (sessions, CSRF, tokens); at least 32 characters.
SECRET_KEY = env.text("SECRET_KEY") or embedded.read_secret(DATA_DIR, "secret_key")
# Before the first start there is none yet: commands run with a passing one, servers refuse to (checks.py).
HAS_SECRET_KEY = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(50)
# Lines `<id>:<base64 of 32 bytes>`; the first key wraps new data keys, all of them unwrap old ones.
ENCRYPTION_KEYS = (env.text("ENCRYPTION_KEYS") or embedded.read_secret(DATA_DIR, "encryption_keys")).split()

# What the names of connections to PostgreSQL begin with; marks of the keys' ids follow.
KEYS_MARK = "chat keys="
