"""All settings, one sentence each; docs/settings.md lists those of ours (a test compares).

Values come from the environment. Where DATABASE_URL, REDIS_URL, SECRET_KEY or ENCRYPTION_KEYS are unset,
those that `manage.py serve` made in DATA_DIR are used.
"""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from chatproject import embedded
from chatproject.lib import crypto
from chatproject.lib import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things are -------------------------------------------------------------------------------------

# Folder for the embedded services' data and for generated secrets.
DATA_DIR = Path(env.text("DATA_DIR") or embedded.default_data_dir(BASE_DIR)).resolve()
_embedded_database, _embedded_redis = embedded.urls(DATA_DIR)
# PostgreSQL 16+ with pgvector; unset = the embedded server in DATA_DIR.
DATABASE_URL = env.text("DATABASE_URL") or _embedded_database
# Redis 6.2+; unset = the embedded server in DATA_DIR.
REDIS_URL = env.text("REDIS_URL") or _embedded_redis

# --- Secrets ----------------------------------------------------------------------------------------------

# Django's key for signatures (sessions, CSRF, tokens); at least 32 characters.
SECRET_KEY = env.text("SECRET_KEY") or embedded.read_secret(DATA_DIR, "secret_key")
# Before the first start there is none yet: commands run with a passing one, servers refuse to (checks.py).
HAS_SECRET_KEY = bool(SECRET_KEY)
SECRET_KEY = SECRET_KEY or secrets.token_urlsafe(50)
# Lines `<id>:<base64 of 32 bytes>`; the first key wraps new data keys, all of them unwrap old ones.
ENCRYPTION_KEYS = (env.text("ENCRYPTION_KEYS") or embedded.read_secret(DATA_DIR, "encryption_keys")).split()

# What the names of connections to PostgreSQL begin with; marks of the keys' ids follow.
KEYS_MARK = "chat keys="

# --- Django -----------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", False)
# Host names under which the product is reached, separated by commas.
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
# Origins (scheme://host) besides our own whose pages may use a cookie, separated by commas.
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
SITE_ID = 1

INSTALLED_APPS = [
    "daphne",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "channels",
    "procrastinate.contrib.django",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "chatproject",
    "accounts",
    "conversations",
    "realtime",
]

MIDDLEWARE = [
    "chatproject.middleware.RequestContext",
    "chatproject.middleware.ContentPolicy",
    "django.middleware.security.SecurityMiddleware",
    "chatproject.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Milliseconds that a statement may wait for a row lock before the sender is told to try again.
LOCK_TIMEOUT_MS = env.number("LOCK_TIMEOUT_MS", 2000, least=1)
# Milliseconds that one statement may take.
STATEMENT_TIMEOUT_MS = env.number("STATEMENT_TIMEOUT_MS", 15000, least=1)
# Connections to PostgreSQL that one process holds at most.
DB_POOL_SIZE = env.number("DB_POOL_SIZE", 16, least=4)
# Threads of one process for database work beside the event loop.
DB_THREADS = env.number("DB_THREADS", 8, least=2)

try:
    DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
except ValueError as error:
    raise ImproperlyConfigured("DATABASE_URL must be an address: postgres://user:password@host:5432/name.") from error
DATABASES["default"]["CONN_MAX_AGE"] = 0
# A pooled connection is tried before it is used, so that a restarted PostgreSQL costs nobody an error.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).update(
    connect_timeout=3,
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
        "timeout": 2,
        "max_lifetime": 1800,
        "reconnect_timeout": 0.5,
    },
)
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must be a postgres:// address; other databases are not supported.")

# --- People -----------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
# Whether people may sign up by themselves (page and API).
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN", True)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm", "signup": "accounts.forms.SignupForm"}
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "chatproject.errors.csrf_failure"

# Seconds that an access token is valid (24 h).
ACCESS_TOKEN_SECONDS = env.number("ACCESS_TOKEN_SECONDS", 24 * 3600, least=1)
# Seconds that a login lives: a refresh token is valid that long (30 days).
LOGIN_SECONDS = env.number("LOGIN_SECONDS", 30 * 24 * 3600, least=1)
# Seconds within which a ticket must be used (PROTOCOL.md section 3).
TICKET_SECONDS = env.number("TICKET_SECONDS", 30, least=1)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=LOGIN_SECONDS),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": False,
    "LEEWAY": 30,
    "USER_ID_CLAIM": "sub",
}

# --- HTTP API ---------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "accounts.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["conversations.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["conversations.api.renderers.FastJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "conversations.api.problems.problem_response",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Conversation back end",
    "DESCRIPTION": "Durable, real-time conversations between people and assistants. See docs/protocol.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "conversations.api.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ConversationStatus": "conversations.models.Conversation.Status",
        "MessageStatus": "conversations.models.Message.Status",
        "RunStatus": "conversations.models.Run.Status",
        "ExportStatus": "conversations.models.Export.Status",
        "MessageRole": "conversations.models.Message.Role",
        "MemberRole": "conversations.models.Member.Role",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
# Bytes of one HTTP request body at most.
DATA_UPLOAD_MAX_MEMORY_SIZE = env.number("MAX_BODY_BYTES", 1024 * 1024, least=1024)
# Files of a request are never on disk in clear.
FILE_UPLOAD_HANDLERS = ["chatproject.lib.uploads.SpooledUpload"]
# Seconds that `?wait=` may ask for at most.
WAIT_MAX_SECONDS = env.number("WAIT_MAX_SECONDS", 60, least=1)
# Entries of one page of a list, by default and at most.
PAGE_SIZE = env.number("PAGE_SIZE", 50, least=1)
MAX_PAGE_SIZE = env.number("MAX_PAGE_SIZE", 200, least=1)

# --- The log ----------------------------------------------------------------------------------------------

# Called after each commit with the list of what was committed; this is how hints leave.
EVENT_PUBLISHERS = ["realtime.broadcast.publish"]
# Makes the body of a `text/event-stream` answer; called with (user, conversation id, cursor).
EVENT_STREAM = "realtime.sse.stream"
# Appends that share one commit at most.
GROUP_COMMIT_MAX = env.number("GROUP_COMMIT_MAX", 500, least=1)
# Appends that may wait for a commit in one process before senders are told to try again.
GROUP_COMMIT_QUEUE = env.number("GROUP_COMMIT_QUEUE", 10000, least=1)
# Code points of one message at most.
MESSAGE_MAX_LENGTH = env.number("MESSAGE_MAX_LENGTH", 32000, least=1)
# Versions of one message that are listed at most; the log keeps all of them.
VERSIONS_MAX = env.number("VERSIONS_MAX", 50, least=2)
# Code points of a comment on a message at most.
COMMENT_MAX_LENGTH = env.number("COMMENT_MAX_LENGTH", 2000, least=1)
# Code points of a title at most.
TITLE_MAX_LENGTH = env.number("TITLE_MAX_LENGTH", 200, least=1)
# Bytes of a conversation's metadata at most.
METADATA_MAX_BYTES = env.number("METADATA_MAX_BYTES", 16384, least=2)
# Members of one conversation at most.
MEMBERS_MAX = env.number("MEMBERS_MAX", 1000, least=1)
# Hours that an Idempotency-Key is kept at least.
IDEMPOTENCY_HOURS = env.number("IDEMPOTENCY_HOURS", 24, least=1)

# --- Files ------------------------------------------------------------------------------------------------

# Bytes of one file at most (20 MiB).
FILE_MAX_BYTES = env.number("FILE_MAX_BYTES", 20 * 1024 * 1024, least=1)
# Files of one conversation, and their bytes together, at most (1 GiB).
FILES_MAX = env.number("FILES_MAX", 1000, least=0)
FILES_MAX_BYTES = env.number("FILES_MAX_BYTES", 1024**3, least=0)
# Files of one message at most.
FILES_PER_MESSAGE = env.number("FILES_PER_MESSAGE", 10, least=0)
# Types of files that are taken, by what is in them; `*` stands for anything.
FILE_TYPES = env.words("FILE_TYPES", "*")
# Types that are refused all the same: programs.
FILE_TYPES_REFUSED = env.words(
    "FILE_TYPES_REFUSED", "application/vnd.microsoft.portable-executable,application/x-executable"
)
# Code points of the text that is drawn from a file at most, and seconds that this may take.
FILE_TEXT_MAX_LENGTH = env.number("FILE_TEXT_MAX_LENGTH", 200_000, least=1)
FILE_TEXT_SECONDS = env.number("FILE_TEXT_SECONDS", 10, least=1)
# Hours after which a file that no message carries is deleted; looked for every so many seconds.
FILE_UNATTACHED_HOURS = env.number("FILE_UNATTACHED_HOURS", 24, least=1)
CLEAR_FILES_SECONDS = env.number("CLEAR_FILES_SECONDS", 3600, least=0)

# --- Privacy ----------------------------------------------------------------------------------------------

# What becomes of numbers of cards and the like: redact (replaced before storage), refuse, or store (and mark).
PRIVACY_POLICY = env.text("PRIVACY_POLICY", "redact")
if PRIVACY_POLICY not in ("redact", "refuse", "store"):
    raise ImproperlyConfigured(f"PRIVACY_POLICY is {PRIVACY_POLICY!r}; set it to redact, refuse or store.")
# Dotted paths of what is looked for, separated by commas; see docs/privacy.md for how to write one.
PRIVACY_PATTERNS = env.words(
    "PRIVACY_PATTERNS",
    "conversations.privacy.cards.CreditCards,conversations.privacy.ssn.SocialSecurityNumbers",
)

# --- Search -----------------------------------------------------------------------------------------------

# Different words of one text by which it can be found at most; of a longer one, the first.
SEARCH_WORDS_MAX = env.number("SEARCH_WORDS_MAX", 20_000, least=1)
# Code points of a query at most, and words of it that are looked for.
SEARCH_QUERY_MAX_LENGTH = env.number("SEARCH_QUERY_MAX_LENGTH", 200, least=1)
SEARCH_QUERY_WORDS = env.number("SEARCH_QUERY_WORDS", 40, least=1)
# Messages that are opened and compared for one query at most: the newest that fit.
SEARCH_CANDIDATES = env.number("SEARCH_CANDIDATES", 200, least=1)
# Conversations of one user that a query goes through at most: those that changed last.
SEARCH_CONVERSATIONS = env.number("SEARCH_CONVERSATIONS", 5000, least=1)
# What makes vectors for semantic search, a dotted path such as conversations.search.embedders.OpenAIEmbedder; empty
# = there is none. The vectors are not encrypted.
EMBEDDER = env.text("EMBEDDER")
# The model that it is to use; another one is built beside the one in use, and takes its place when it is complete.
EMBEDDING_MODEL = env.text("EMBEDDING_MODEL", "text-embedding-3-small")
# Address and key of an OpenAI-compatible endpoint for embeddings; empty = those of OPENAI_BASE_URL, OPENAI_API_KEY.
EMBEDDING_BASE_URL = env.text("EMBEDDING_BASE_URL") or env.text("OPENAI_BASE_URL")
EMBEDDING_API_KEY = env.text("EMBEDDING_API_KEY") or env.text("OPENAI_API_KEY")
# Seconds that one request for vectors may take.
EMBEDDING_TIMEOUT_SECONDS = env.number("EMBEDDING_TIMEOUT_SECONDS", 20, least=1)
# Texts of one request, and code points of a text that count at most.
EMBEDDING_BATCH = env.number("EMBEDDING_BATCH", 64, least=1)
EMBEDDING_TEXT_LENGTH = env.number("EMBEDDING_TEXT_LENGTH", 8000, least=1)
# Seconds between two looks for texts without a vector; 0 = never.
EMBED_SECONDS = env.number("EMBED_SECONDS", 10, least=0)
# Code points of a result's excerpt, about.
SEARCH_SNIPPET_LENGTH = env.number("SEARCH_SNIPPET_LENGTH", 200, least=20)

# --- Export and import ------------------------------------------------------------------------------------

# Bytes of a file that is imported at most.
IMPORT_MAX_BYTES = env.number("IMPORT_MAX_BYTES", 100 * 1024 * 1024, least=1024)
# Conversations of a file that is imported at most.
IMPORT_MAX_CONVERSATIONS = env.number("IMPORT_MAX_CONVERSATIONS", 10_000, least=1)
# Exports of many conversations that one user may have at the same time.
EXPORTS_MAX = env.number("EXPORTS_MAX", 5, least=1)
# Hours after which such an export is deleted (7 days).
EXPORT_KEEP_HOURS = env.number("EXPORT_KEEP_HOURS", 7 * 24, least=1)
# Seconds after its last sign of life at which an export may be taken over from a worker.
EXPORT_LEASE_SECONDS = env.number("EXPORT_LEASE_SECONDS", 30, least=1)
# Seconds between two looks for exports that have expired or lost their worker; 0 = never.
MEND_EXPORTS_SECONDS = env.number("MEND_EXPORTS_SECONDS", 60, least=0)

# --- Templates --------------------------------------------------------------------------------------------

# System messages, and pinned messages, of one template of conversations at most.
TEMPLATE_MESSAGES_MAX = env.number("TEMPLATE_MESSAGES_MAX", 20, least=0)
# Variables of one template at most.
TEMPLATE_VARIABLES_MAX = env.number("TEMPLATE_VARIABLES_MAX", 20, least=0)
# Characters (code points) that somebody may fill in for one variable at most.
TEMPLATE_INPUT_MAX_LENGTH = env.number("TEMPLATE_INPUT_MAX_LENGTH", 4000, least=1)

# --- Life cycle -------------------------------------------------------------------------------------------

# Seconds between two passes of the life-cycle job; 0 = never.
LIFECYCLE_SECONDS = env.number("LIFECYCLE_SECONDS", 60)
# Days without a word after which a conversation is archived (PROTOCOL.md section 8); 0 = never.
ARCHIVE_AFTER_DAYS = env.number("ARCHIVE_AFTER_DAYS", 7)
# Days after its archiving at which a conversation is erased, for example 30; 0 = never.
RETENTION_DAYS = env.number("RETENTION_DAYS", 0)
# Hours after which a temporary conversation is erased.
TEMPORARY_HOURS = env.number("TEMPORARY_HOURS", 24, least=1)
# Newest messages of a conversation that are kept ready in Redis and in memory at most (PROTOCOL.md section 8).
HOT_WINDOW_MESSAGES = env.number("HOT_WINDOW_MESSAGES", 101, least=1)
# Seconds that they are kept after they were last read, and altogether at most; 0 = nothing is kept ready.
HOT_WINDOW_SECONDS = env.number("HOT_WINDOW_SECONDS", 1800)
HOT_WINDOW_MAX_SECONDS = env.number("HOT_WINDOW_MAX_SECONDS", 7200, least=1)
# Seconds that Redis keeps those of an archived conversation (7 days).
COLD_WINDOW_SECONDS = env.number("COLD_WINDOW_SECONDS", 7 * 24 * 3600, least=1)
# Bytes of them, compressed, in the memory of one process at most.
HOT_WINDOW_BYTES = env.number("HOT_WINDOW_BYTES", 16 * 1024 * 1024, least=1024)
# Seconds that one statement of an erasure may take.
ERASE_SECONDS = env.number("ERASE_SECONDS", 60, least=1)

# Seconds between two looks for conversations that changed, of which a snapshot is taken; 0 = never.
CHECKPOINT_SECONDS = env.number("CHECKPOINT_SECONDS", 300, least=0)
# Messages that a snapshot holds: the newest ones.
SNAPSHOT_WINDOW = env.number("SNAPSHOT_WINDOW", 100, least=1)
# Periodic snapshots of a conversation that are kept, and those on demand; the newest of each.
SNAPSHOTS_KEPT = env.number("SNAPSHOTS_KEPT", 10, least=1)
SNAPSHOTS_KEPT_ON_DEMAND = env.number("SNAPSHOTS_KEPT_ON_DEMAND", 100, least=1)
# Events for which one older periodic snapshot is kept too, so that no state is far from one.
SNAPSHOT_SPACING = env.number("SNAPSHOT_SPACING", 5000, least=1)

# Seconds between two rounds of verifying, conversations of one round, and percent of the score below which what
# is derived is made again; 0 seconds = never.
VERIFY_SECONDS = env.number("VERIFY_SECONDS", 600, least=0)
VERIFY_BATCH = env.number("VERIFY_BATCH", 200, least=1)
VERIFY_LEAST = env.number("VERIFY_LEAST", 90, least=0)

# --- Runs -------------------------------------------------------------------------------------------------

# Assistants by name; the class is built once per process.
ASSISTANTS = {
    "guide": "conversations.assistants.builtin.guide.Guide",
    "openai": "conversations.assistants.builtin.openai.OpenAIAssistant",
}
# The assistant that the chat page starts a conversation with.
DEFAULT_ASSISTANT = env.text("DEFAULT_ASSISTANT", "guide")
if DEFAULT_ASSISTANT not in ASSISTANTS:
    raise ImproperlyConfigured(f"DEFAULT_ASSISTANT is {DEFAULT_ASSISTANT!r}; set it to {' or '.join(ASSISTANTS)}.")
# Address of an OpenAI-compatible API; empty = the SDK's default.
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL")
if OPENAI_BASE_URL and not OPENAI_BASE_URL.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"OPENAI_BASE_URL is {OPENAI_BASE_URL!r}; it must begin with http:// or https://.")
# Key for that API; empty = the assistant `openai` is not offered.
OPENAI_API_KEY = env.text("OPENAI_API_KEY")
# Model that the assistant `openai` asks for.
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-4o-mini")
# Tokens that a picture takes in that model (at low detail, after OpenAI's pricing page); 0 = it takes none.
OPENAI_PICTURE_TOKENS = env.number("OPENAI_PICTURE_TOKENS", 2833, least=0)
# What the assistant `openai` is told first.
OPENAI_SYSTEM_PROMPT = env.text("OPENAI_SYSTEM_PROMPT", "You are a helpful assistant. Answer in Markdown.")
# Messages that fell out of its context and are about the question, which the assistant `openai` is told of at most.
OPENAI_RECALL = env.number("OPENAI_RECALL", 0, least=0)
# Seconds until a connection to a model must stand.
PROVIDER_CONNECT_SECONDS = env.number("PROVIDER_CONNECT_SECONDS", 10, least=1)
# Seconds without a byte from a model after which the run fails.
PROVIDER_STALL_SECONDS = env.number("PROVIDER_STALL_SECONDS", 30, least=1)
# Folder of the tokenizer's files, made at the first start.
TOKENIZER_DIR = Path(env.text("TOKENIZER_DIR") or DATA_DIR / "tokenizer")
# Milliseconds that pieces of an answer are gathered before they are stored and shown.
DELTA_MS = env.number("DELTA_MS", 40, least=1)
# Code points of one answer at most; what comes after is cut and the run is stopped.
ANSWER_MAX_LENGTH = env.number("ANSWER_MAX_LENGTH", 100_000, least=1)
# Bytes of one step's input or output that are stored at most.
STEP_MAX_BYTES = env.number("STEP_MAX_BYTES", 16384, least=64)
# Runs that one worker process answers at the same time.
WORKER_CONCURRENCY = env.number("WORKER_CONCURRENCY", 50, least=1)
# Background jobs that one worker process does at the same time; 0 = it only answers.
BACKGROUND_CONCURRENCY = env.number("BACKGROUND_CONCURRENCY", 2, least=0)
# Seconds between two looks for jobs of dead workers; 0 = never.
MEND_QUEUE_SECONDS = env.number("MEND_QUEUE_SECONDS", 30, least=0)
# Seconds after its last renewal at which a run's lease ends; a dead worker is noticed this soon.
LEASE_SECONDS = env.number("LEASE_SECONDS", 12, least=2)
# Seconds between two sweeps for dead runs and lost jobs.
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 3, least=1)

# --- Contexts ---------------------------------------------------------------------------------------------

# Strategies that choose what of a conversation is sent, by name.
CONTEXT_STRATEGIES = {
    "window": "conversations.context.window.Window",
    "recent": "conversations.context.recent.Recent",
    "summary": "conversations.context.summary.Summary",
}
# The strategy unless an assistant is configured with another.
CONTEXT_STRATEGY = env.text("CONTEXT_STRATEGY", "window")
if CONTEXT_STRATEGY not in CONTEXT_STRATEGIES:
    raise ImproperlyConfigured(
        f"CONTEXT_STRATEGY is {CONTEXT_STRATEGY!r}; set it to {' or '.join(CONTEXT_STRATEGIES)}."
    )
# Model whose tokens are counted unless an assistant is configured with another.
CONTEXT_MODEL = env.text("CONTEXT_MODEL", "gpt-4o-mini")
# What each assistant is sent, where it differs from the defaults: `{model, system, strategy, max_tokens,
# max_messages, picture_tokens}` by name, all of them optional; `system` is its system prompt.
ASSISTANT_CONTEXTS: dict[str, dict[str, Any]] = {
    "guide": {"max_messages": 1},
    "openai": {"model": OPENAI_MODEL, "system": OPENAI_SYSTEM_PROMPT, "picture_tokens": OPENAI_PICTURE_TOKENS},
}
# Tokens of a context at most, of `window` and `summary`.
CONTEXT_TOKENS = env.number("CONTEXT_TOKENS", 4000, least=64)
# Messages that `window` sends at most; where there are more, so many of the newest and what is pinned.
CONTEXT_MESSAGES = env.number("CONTEXT_MESSAGES", 100, least=1)
CONTEXT_NEWEST = env.number("CONTEXT_NEWEST", 80, least=1)
# Tokens of a context of `recent` at most.
CONTEXT_RECENT_TOKENS = env.number("CONTEXT_RECENT_TOKENS", 2048, least=64)
# What anybody may ask for at most.
CONTEXT_TOKENS_MAX = env.number("CONTEXT_TOKENS_MAX", 1_000_000, least=64)
CONTEXT_MESSAGES_MAX = env.number("CONTEXT_MESSAGES_MAX", 1000, least=1)
# Messages that are listed as left out at most.
CONTEXT_LEFT_OUT_MAX = env.number("CONTEXT_LEFT_OUT_MAX", 200, least=0)
# Tokens of one summary at most.
CONTEXT_SUMMARY_TOKENS = env.number("CONTEXT_SUMMARY_TOKENS", 200, least=64)
# The assistant that writes summaries; empty = they are made of the messages' own sentences.
CONTEXT_SUMMARISER = env.text("CONTEXT_SUMMARISER")
if CONTEXT_SUMMARISER and CONTEXT_SUMMARISER not in ASSISTANTS:
    raise ImproperlyConfigured(f"CONTEXT_SUMMARISER is {CONTEXT_SUMMARISER!r}; set it to {' or '.join(ASSISTANTS)}.")

# --- Sockets ----------------------------------------------------------------------------------------------

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "realtime.groups.RoomLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 2, "socket_connect_timeout": 2}]},
    }
}
# Milliseconds that publishing one hint may take before it is given up.
HINT_TIMEOUT_MS = env.number("HINT_TIMEOUT_MS", 250, least=1)
# Milliseconds between two looks at the heads of the open rooms, and while Redis is away.
POLL_MS = env.number("POLL_MS", 1000, least=10)
POLL_MS_WITHOUT_REDIS = env.number("POLL_MS_WITHOUT_REDIS", 200, least=10)
# Bytes of one frame from a client at most.
FRAME_MAX_BYTES = env.number("FRAME_MAX_BYTES", 65536, least=1024)
# Bytes of one WebSocket message to a client at most, and of what may wait for a slow one.
BATCH_MAX_BYTES = env.number("BATCH_MAX_BYTES", 262144, least=65536)
# WebSocket messages that may be unacknowledged before the rest waits.
ACK_WINDOW = env.number("ACK_WINDOW", 20, least=2)
# Seconds until an unacknowledged message closes the connection (4003).
ACK_SECONDS = env.number("ACK_SECONDS", 30, least=1)
# Milliseconds that a frame may wait for others under load.
BATCH_MS = env.number("BATCH_MS", 50, least=0)
# Milliseconds between heartbeats, and of silence after which a connection is closed (4002).
HEARTBEAT_MS = env.number("HEARTBEAT_MS", 25000, least=100)
TIMEOUT_MS = env.number("TIMEOUT_MS", 60000, least=100)
# Seconds that clients, and answers that are being written, may take to leave a process that was asked to end.
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 300, least=0)
# Seconds of silence after which a session is over; until then it is taken up again, on any server.
SESSION_SECONDS = env.number("SESSION_SECONDS", 3600, least=1)
# Seconds between two signs of life of the sessions that are connected.
SESSION_RENEW_SECONDS = env.number("SESSION_RENEW_SECONDS", 30, least=1)
# Bytes of the JSON that a caller may keep in a session.
SESSION_DATA_BYTES = env.number("SESSION_DATA_BYTES", 16384, least=2)
# Seconds between two looks for sessions that are over.
SWEEP_SESSIONS_SECONDS = env.number("SWEEP_SESSIONS_SECONDS", 60, least=0)
# Seconds within which the first frame must come.
HELLO_SECONDS = env.number("HELLO_SECONDS", 10, least=1)
# Events that a resume replays at most; more is answered with a snapshot.
CATCHUP_MAX = env.number("CATCHUP_MAX", 1000, least=1)
# Bytes of the snapshot in a `resync`.
SNAPSHOT_MAX_BYTES = env.number("SNAPSHOT_MAX_BYTES", 131072, least=1024)
# Milliseconds that somebody may be gone without being shown as gone.
PRESENCE_GRACE_MS = env.number("PRESENCE_GRACE_MS", 5000, least=0)
# Milliseconds between two looks at who is there, and seconds after which a process that does not look is gone.
PRESENCE_SWEEP_MS = env.number("PRESENCE_SWEEP_MS", 10_000, least=100)
PRESENCE_SECONDS = env.number("PRESENCE_SECONDS", 30, least=1)
# Shared state of a room: keys at most, bytes of one value, seconds that the loser of a conflict is kept.
ROOM_STATE_KEYS = env.number("ROOM_STATE_KEYS", 100, least=1)
ROOM_STATE_BYTES = env.number("ROOM_STATE_BYTES", 4096, least=16)
ROOM_STATE_CONFLICT_SECONDS = env.number("ROOM_STATE_CONFLICT_SECONDS", 3600, least=0)
# Recent events that a room keeps in memory.
ROOM_TAIL = env.number("ROOM_TAIL", 200, least=1)
# Conversations that one connection may have open at once.
ROOMS_PER_CONNECTION = env.number("ROOMS_PER_CONNECTION", 100, least=1)

# --- Pages ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "chatproject" / "locale"]
USE_I18N = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# The look of the admin: the page's green (style.css) in unfold's shades.
UNFOLD = {
    "SITE_TITLE": _("Conversations"),
    "SITE_HEADER": _("Conversations"),
    "SITE_SYMBOL": "forum",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "COLORS": {
        "primary": {
            "50": "oklch(98% .01 178)",
            "100": "oklch(95% .03 178)",
            "200": "oklch(90% .05 178)",
            "300": "oklch(83% .07 178)",
            "400": "oklch(73% .08 178)",
            "500": "oklch(60% .08 178)",
            "600": "oklch(50% .07 178)",
            "700": "oklch(44% .06 178)",
            "800": "oklch(38% .05 178)",
            "900": "oklch(33% .04 178)",
            "950": "oklch(24% .03 178)",
        }
    },
}

# --- Jobs -------------------------------------------------------------------------------------------------

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# --- Logs -------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING")},
}
