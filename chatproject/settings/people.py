"""Logging in, and how long a login lives."""

from datetime import timedelta

from chatproject.lib import environment as env

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
# Seconds that Redis keeps the preferences of a user (1 h); 0 = not at all.
USER_CACHE_SECONDS = env.number("USER_CACHE_SECONDS", 3600)
# Seconds within which it is noted once that somebody is active.
ACTIVE_SECONDS = env.number("ACTIVE_SECONDS", 60, least=1)
