"""Who is asking over HTTP: a bearer token, or the session cookie together with a CSRF token."""

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.request import Request

from accounts import scopes
from accounts.identities import Identity
from accounts.models import User
from accounts.services import credentials
from chatproject.lib.errors import Problem


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token or API key>`, the key within its scopes.

    Raises Problem `unauthenticated`, `token_expired` or `forbidden`.
    """

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        try:
            identity = credentials.identify(token.decode("ascii").strip())
        except UnicodeDecodeError as error:
            raise Problem("unauthenticated") from error
        declared = getattr(request.parser_context["view"], "scopes", {})
        scopes.require(identity, scopes.of_request(request.method, declared.get(request.method)))
        request._request.shown = identity  # type: ignore[attr-defined]
        return identity.user, identity

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """Django's session, with its CSRF check; answers 401 rather than 403 where nobody is logged in."""

    def authenticate(self, request: Request) -> tuple[User, Identity] | None:
        found = super().authenticate(request)
        return found and (found[0], request._request.identity)  # type: ignore[attr-defined]

    def authenticate_header(self, request: Request) -> str:
        return "Cookie"


class BearerScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names a bearer token."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class CookieScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names a browser's session."""

    target_class = CookieAuthentication
    name = "cookie"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
