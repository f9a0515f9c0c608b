"""PostgreSQL: how long anything may take, how many may ask at once, and what is done about a server that is away."""

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from chatproject.lib import crypto
from chatproject.lib import environment as env
from chatproject.lib.postgresql.outage import pool_gave_up
from chatproject.settings.places import DATABASE_URL, ENCRYPTION_KEYS, KEYS_MARK

# Milliseconds that a statement may wait for a row lock before the sender is told to try again.
LOCK_TIMEOUT_MS = env.number("LOCK_TIMEOUT_MS", 2000, least=1)
# Milliseconds that one statement may take.
STATEMENT_TIMEOUT_MS = env.number("STATEMENT_TIMEOUT_MS", 15000, least=1)
# Connections to PostgreSQL that one process holds at most.
DB_POOL_SIZE = env.number("DB_POOL_SIZE", 16, least=4)
# Callers that may wait for one of them at the same time; more are told to try again at once.
DB_POOL_WAITING = env.number("DB_POOL_WAITING", 1000, least=1)
# Milliseconds that somebody waits for one of these connections before being told to try again.
DB_WAIT_MS = env.number("DB_WAIT_MS", 2000, least=1)
# Threads of one process for database work beside the event loop.
DB_THREADS = env.number("DB_THREADS", 8, least=2)
# Requests that one process answers at the same time, each in a thread; more wait for one.
HTTP_THREADS = env.number("HTTP_THREADS", 200, least=1)

try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
except ValueError as error:
    raise ImproperlyConfigured("DATABASE_URL must be an address: postgres://user:password@host:5432/name.") from error
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgres:// address; other databases are not supported.")
# Connections that a restart of PostgreSQL broke are found and replaced there, so that it costs nobody an error.
DATABASES["default"] |= {"ENGINE": "chatproject.lib.postgresql", "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3,
    # A server that is gone without a word, as by a broken network, is given up within 10 s rather than 15 min.
    tcp_user_timeout=10_000,
    keepalives_idle=5,
    keepalives_interval=2,
    keepalives_count=2,
    # Which keys this process knows: `rotate_keys` looks for processes that do not know the new one.
    application_name=f"{KEYS_MARK}{crypto.marks(ENCRYPTION_KEYS)}",
    options=f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    # A process that hangs in the middle of a transaction must not keep its locks for long.
    " -c idle_in_transaction_session_timeout=5000",
    # A pool that keeps trying to reconnect waits longer and longer, also when the database is back: a short
    # reconnect_timeout has the next request try anew.
    pool={
        "min_size": 1,
        "max_size": DB_POOL_SIZE,
        "max_waiting": DB_POOL_WAITING,
        "timeout": DB_WAIT_MS / 1000,
        "max_lifetime": 1800,
        "reconnect_timeout": 0.5,
        "reconnect_failed": pool_gave_up,
    },
)
