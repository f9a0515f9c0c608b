"""Django and what belongs to it: applications, middleware, pages, jobs, logs."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from chatproject.lib import environment as env
from chatproject.lib import logs
from chatproject.settings.places import BASE_DIR

# --- Django ----------------------------------------------------------------------------------------------

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
CACHES = {"default": {"BACKEND": "chatproject.lib.cache.SharedCache"}}

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
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.openid_connect",
    "channels",
    "procrastinate.contrib.django",
    "rest_framework",
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
    "chatproject.headers.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "chatproject.transport.EncryptedOnly",
    "chatproject.middleware.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.browser.BrowserLogins",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.renewal.RenewedTokens",
    "chatproject.middleware.Problems",
    "accounts.middleware.LeavingByLink",
    "accounts.middleware.LastActive",
    "accounts.downloads.HeldDownloads",
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

# --- Pages -----------------------------------------------------------------------------------------------

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
# The look of the admin: the page's green (base.css) in unfold's shades.
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

# --- Jobs ------------------------------------------------------------------------------------------------

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# --- Logs ------------------------------------------------------------------------------------------------

# `json` (one object a line, in the Elastic Common Schema) or `plain`; unset = plain on a terminal, else json.
LOG_FORMAT = env.text("LOG_FORMAT") or ("plain" if sys.stderr.isatty() else "json")
if LOG_FORMAT not in ("json", "plain"):
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}; set it to json or plain, or unset it.")
LOGGING = logs.configuration(
    form=LOG_FORMAT, level=env.text("LOG_LEVEL", "WARNING"), access=env.flag("ACCESS_LOG", True)
)
# Reports of exceptions, also those of DEBUG, show no values of local variables.
DEFAULT_EXCEPTION_REPORTER = "chatproject.lib.logs.reports.Reporter"
