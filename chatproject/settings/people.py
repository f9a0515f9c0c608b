"""Logging in, and how long a login lives."""

from datetime import timedelta

from chatproject.lib import environment as env
from chatproject.settings.limits import NUM_PROXIES

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
# These are ours (docs/limits.md), for pages and API alike; allauth's others stay as they are.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "signup": None}
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES
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
