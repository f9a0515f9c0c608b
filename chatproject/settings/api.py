"""The HTTP API: its classes, its description, limits of requests and pages."""

from chatproject.lib import environment as env

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

# --- Requests to addresses that people give --------------------------------------------------------------

# What such an address may begin with, and the ports that it may name.
OUTGOING_SCHEMES = env.words("OUTGOING_SCHEMES", "https")
OUTGOING_PORTS = env.words("OUTGOING_PORTS", "443")
# Hosts of your own (`host` or `host:port`) that they may lead to all the same, by any scheme and to any address.
OUTGOING_ALLOWED_HOSTS = env.words("OUTGOING_ALLOWED_HOSTS")
# Seconds that one such request and its answer may take, and bytes of the answer at most.
OUTGOING_SECONDS = env.number("OUTGOING_SECONDS", 30, least=1)
OUTGOING_MAX_BYTES = env.number("OUTGOING_MAX_BYTES", 10 * 1024 * 1024, least=1024)
