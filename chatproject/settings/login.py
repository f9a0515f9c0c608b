"""The pages where people sign up, log in and look after their accounts (django-allauth), and the mail they cause."""

from typing import Any

from chatproject.lib import environment as env
from chatproject.settings.limits import NUM_PROXIES

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.MinimumLength"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
# Whether people may sign up by themselves (page, API, and through a provider).
REGISTRATION_OPEN = env.flag("REGISTRATION_OPEN", True)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# Whether an e-mail address has to be confirmed before its user may log in: optional or mandatory.
ACCOUNT_EMAIL_VERIFICATION = env.choice("EMAIL_VERIFICATION", "optional", ("optional", "mandatory"))
ACCOUNT_SIGNUP_FIELDS = [
    "username*",
    "email*" if ACCOUNT_EMAIL_VERIFICATION == "mandatory" else "email",
    "password1*",
    "password2*",
]
ACCOUNT_USERNAME_MIN_LENGTH = 2
# These are ours (docs/limits.md), for pages and API alike; allauth's others stay as they are.
ACCOUNT_RATE_LIMITS = {"login": None, "signup": None}
ALLAUTH_TRUSTED_PROXY_COUNT = NUM_PROXIES
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {"login": "accounts.forms.LoginForm", "signup": "accounts.forms.SignupForm"}
# What protects an account is changed only by who has just shown to be its owner, and its owner is told by mail.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# --- Second factors --------------------------------------------------------------------------------------

MFA_ADAPTER = "accounts.factors.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Codes of the half minute before and after count too: phones have clocks of their own.
MFA_TOTP_TOLERANCE = 1

# --- Providers -------------------------------------------------------------------------------------------

# Credentials of a client at Google; with them people may log in with Google.
GOOGLE_CLIENT_ID = env.text("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = env.text("GOOGLE_CLIENT_SECRET", "")
# An OpenID provider: the address of its issuer, our client there, and how the log-in page calls it.
OIDC_URL = env.text("OIDC_URL", "")
OIDC_CLIENT_ID = env.text("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET", "")
OIDC_NAME = env.text("OIDC_NAME", "Single sign-on")

SOCIALACCOUNT_ADAPTER = "accounts.providers.ProviderAdapter"


def with_pkce(**client: Any) -> dict[str, Any]:
    """A client of ours at a provider, as allauth wants it: authorization codes are bound to the browser that asked."""
    return {"APPS": [client], "OAUTH_PKCE_ENABLED": True}


SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {}
if GOOGLE_CLIENT_ID:
    SOCIALACCOUNT_PROVIDERS["google"] = with_pkce(client_id=GOOGLE_CLIENT_ID, secret=GOOGLE_CLIENT_SECRET)
if OIDC_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = with_pkce(
        provider_id="oidc",
        name=OIDC_NAME,
        client_id=OIDC_CLIENT_ID,
        secret=OIDC_CLIENT_SECRET,
        settings={"server_url": OIDC_URL},
    )

# --- Mail ------------------------------------------------------------------------------------------------

# The server that sends mail; without one, mail is printed on the console.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.number("EMAIL_PORT", 587, least=1)
EMAIL_HOST_USER = env.text("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_PASSWORD", "")
# How the connection to it is protected: starttls, tls (from the start) or none.
EMAIL_SECURITY = env.choice("EMAIL_SECURITY", "starttls", ("starttls", "tls", "none"))
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
# Seconds that it may take to answer.
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT_SECONDS", 10, least=1)
# The sender.
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "conversations@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
