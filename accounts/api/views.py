"""Routes of people and tokens (PROTOCOL.md section 3)."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import state, wire
from accounts.api.base import LoggedIn
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
from accounts.services import addresses, tokens, users
from chatproject.lib.http import checked, etag, idempotency_key, if_match


class Open(APIView):
    """For everybody: these routes are how one becomes somebody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegisterView(Open):
    @extend_schema(request=RegisterInput, responses={201: Registered})
    def post(self, request: Request) -> Response:
        """Create a user and log in."""
        user = users.register(**checked(RegisterInput, request))
        addresses.ask_to_confirm(request._request, user)
        return Response({**tokens.issue(user), "user": wire.user(user)}, status=201)


class TokenView(Open):
    @extend_schema(request=TokenInput, responses=TokenPair)
    def post(self, request: Request) -> Response:
        """Log in with a name and a password."""
        return Response(tokens.log_in(**checked(TokenInput, request)))


class RefreshView(Open):
    @extend_schema(request=RefreshInput, responses=TokenPair)
    def post(self, request: Request) -> Response:
        """New tokens for a refresh token, which is used up."""
        return Response(tokens.renew(**checked(RefreshInput, request)))


class RevokeView(Open):
    @extend_schema(request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """End a login."""
        tokens.revoke(**checked(RefreshInput, request))
        return Response(status=204)


class TicketView(LoggedIn):
    @extend_schema(request=None, responses=TicketShape)
    def post(self, request: Request) -> Response:
        """A ticket that opens one socket."""
        return Response({"ticket": tokens.issue_ticket(self.user), "expires_in": settings.TICKET_SECONDS})


class MeView(LoggedIn):
    @extend_schema(responses=UserShape)
    def get(self, request: Request) -> Response:
        """The user who asks."""
        user = state.complete(self.user)
        return Response(wire.user(user), headers={"ETag": etag(user.version)})

    @extend_schema(request=ProfileInput, responses=UserShape)
    def patch(self, request: Request) -> Response:
        """Change the profile; with If-Match (or `version`) only if it is the current one."""
        changes = checked(ProfileInput, request, partial=True)
        version = if_match(request)
        if version is None:
            version = changes.get("version")
        key = idempotency_key(request)
        user = users.update_profile(user=self.user, changes=changes, version=version, idempotency_key=key)
        if "email" in changes:
            addresses.ask_to_confirm(request._request, user)
        return Response(wire.user(user), headers={"ETag": etag(user.version)})
