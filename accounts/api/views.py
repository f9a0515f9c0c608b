"""Routes of people and tokens (PROTOCOL.md section 3)."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import wire
from accounts.api.base import Limited, LoggedIn
from accounts.api.serializers import (
    ProfileInput,
    RefreshInput,
    Registered,
    RegisterInput,
    TicketShape,
    TokenInput,
    TokenPair,
    UserShape,
)
from accounts.identities import Scope
from accounts.limiting import take_login
from accounts.origins import origin_of
from accounts.services import tickets, tokens, users
from chatproject.lib.http import checked, etag, idempotency_key, if_match
from chatproject.lib.limits import Standing


class Open(Limited):
    """For everybody: these routes are how one becomes somebody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(Open):
    limits = {"POST": "register"}

    @extend_schema(request=RegisterInput, responses={201: Registered})
    def post(self, request: Request) -> Response:
        """Create a user and log in."""
        user = users.register(**checked(RegisterInput, request))
        return Response({**tokens.issue(user, origin_of(request)), "user": wire.user(user)}, status=201)


class TokenView(Open):
    def take(self, name: str) -> Standing | None:
        sent = self.request.data
        return take_login(str(sent.get("username", "")) if isinstance(sent, dict) else "")

    @extend_schema(request=TokenInput, responses=TokenPair)
    def post(self, request: Request) -> Response:
        """Log in with a name and a password."""
        return Response(tokens.log_in(**checked(TokenInput, request), origin=origin_of(request)))


class RefreshView(Open):
    limits = {"POST": "token"}

    @extend_schema(request=RefreshInput, responses=TokenPair)
    def post(self, request: Request) -> Response:
        """New tokens for a refresh token, which is used up; shown a second time, it ends its login."""
        return Response(tokens.renew(**checked(RefreshInput, request)))


class RevokeView(Open):
    limits = {"POST": "token"}

    @extend_schema(request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """End a login: its tokens, and within two seconds its sockets and streams, on every server."""
        tokens.revoke(**checked(RefreshInput, request))
        return Response(status=204)


class TicketView(LoggedIn):
    limits = {"POST": "ticket"}
    scopes = {"POST": Scope.READ}  # what the socket may do is asked there

    @extend_schema(request=None, responses=TicketShape)
    def post(self, request: Request) -> Response:
        """A ticket that opens one socket."""
        return Response({"ticket": tickets.issue(self.identity), "expires_in": settings.TICKET_SECONDS})


class MeView(LoggedIn):
    scopes = {"PATCH": Scope.ADMIN}

    @extend_schema(responses=UserShape)
    def get(self, request: Request) -> Response:
        """The user who asks."""
        return Response(wire.user(self.user), headers={"ETag": etag(self.user.version)})

    @extend_schema(request=ProfileInput, responses=UserShape)
    def patch(self, request: Request) -> Response:
        """Change the profile; with If-Match (or `version`) only if it is the current one."""
        changes = checked(ProfileInput, request, partial=True)
        version = if_match(request)
        if version is None:
            version = changes.get("version")
        key = idempotency_key(request)
        user = users.update_profile(user=self.user, changes=changes, version=version, idempotency_key=key)
        return Response(wire.user(user), headers={"ETag": etag(user.version)})
