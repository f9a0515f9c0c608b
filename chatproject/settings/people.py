"""Logging in, and how long a login lives."""

from datetime import timedelta

from chatproject.lib import environment as env

SESSION_ENGINE = "accounts.browsersessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "chatproject.errors.csrf_failure"

# Seconds that an access token is valid (24 h).
ACCESS_TOKEN_SECONDS = env.number("ACCESS_TOKEN_SECONDS", 24 * 3600, least=1)
# Percent of an access token's life after which the server gives out a new one by itself.
TOKEN_RENEW_PERCENT = env.number("TOKEN_RENEW_PERCENT", 80, least=1)
# Seconds that a socket or stream goes on after its access token expired (4004).
TOKEN_GRACE_SECONDS = env.number("TOKEN_GRACE_SECONDS", 25, least=0)
# Seconds that a login lives at most, in programs and in browsers (30 days); tokens are renewed until then.
LOGIN_SECONDS = env.number("LOGIN_SECONDS", 30 * 24 * 3600, least=1)
SESSION_COOKIE_AGE = LOGIN_SECONDS
# Seconds within which a ticket must be used (PROTOCOL.md section 3).
TICKET_SECONDS = env.number("TICKET_SECONDS", 30, least=1)
# API keys that a user may have at most.
API_KEYS_PER_USER = env.number("API_KEYS_PER_USER", 50, least=1)
# Seconds that clocks may differ where tokens are looked at.
TOKEN_LEEWAY_SECONDS = env.number("TOKEN_LEEWAY_SECONDS", 30, least=0)
# File with RSA private keys (PEM): tokens are signed with the first of them (RS256), and taken from all.
TOKEN_PRIVATE_KEY_FILE = env.text("TOKEN_PRIVATE_KEY_FILE")
# Whom our own tokens name as issuer and audience, for others who verify them.
TOKEN_ISSUER = env.text("TOKEN_ISSUER")
TOKEN_AUDIENCE = env.text("TOKEN_AUDIENCE")
# An outside provider whose tokens are taken: where its keys are, whom its tokens name, how they are signed.
OUTSIDE_JWKS_URL = env.text("OUTSIDE_JWKS_URL")
OUTSIDE_ISSUER = env.text("OUTSIDE_ISSUER")
OUTSIDE_AUDIENCE = env.text("OUTSIDE_AUDIENCE")
OUTSIDE_ALGORITHM = env.text("OUTSIDE_ALGORITHM", "RS256")
# Seconds that its keys are kept, and between two looks for a key that is not known.
OUTSIDE_KEYS_SECONDS = env.number("OUTSIDE_KEYS_SECONDS", 3600, least=1)
OUTSIDE_REFETCH_SECONDS = env.number("OUTSIDE_REFETCH_SECONDS", 60, least=1)
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_SECONDS),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=LOGIN_SECONDS),
    "UPDATE_LAST_LOGIN": False,
    "LEEWAY": TOKEN_LEEWAY_SECONDS,
    "USER_ID_CLAIM": "sub",
}
# Seconds that Redis keeps the preferences of a user (1 h); 0 = not at all.
USER_CACHE_SECONDS = env.number("USER_CACHE_SECONDS", 3600)
# Seconds within which it is noted once that somebody is active.
ACTIVE_SECONDS = env.number("ACTIVE_SECONDS", 60, least=1)
