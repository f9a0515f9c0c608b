"""Routes of API keys and of logins: what may act as the user, and how to end it."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, wire
from accounts.api.base import LoggedIn
from accounts.identities import Scope
from accounts.models import ApiKey, Login
from accounts.services import apikeys, logins
from chatproject.lib.errors import Problem
from chatproject.lib.fields import Text
from chatproject.lib.http import checked
from chatproject.lib.pagination import PAGE, ByTime


class KeyShape(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="How its secret begins.")
    scopes = serializers.ListField(child=serializers.ChoiceField([scope.value for scope in Scope]))
    last_used = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class NewKey(KeyShape):
    secret = serializers.CharField(help_text="Shown only this once.")


class KeyPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = KeyShape(many=True)


class KeyInput(serializers.Serializer):
    name = Text(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField([scope.value for scope in Scope]),
        allow_empty=False,
        max_length=len(Scope),
        default=[Scope.READ.value, Scope.WRITE.value],
    )


class LoginShape(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Login.Kind.choices)
    current = serializers.BooleanField(help_text="Whether this request came by it.")
    created_at = serializers.DateTimeField()
    last_used = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    user_agent = serializers.CharField()
    address = serializers.CharField(help_text="Without its last part.")


class LoginPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = LoginShape(many=True)


class Latest(ByTime):
    """The latest first."""

    ordering = ("-created_at", "-id")


class KeysView(LoggedIn):
    scopes = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}

    @extend_schema(operation_id="v1_api_keys_list", responses=KeyPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """Your keys that are not revoked, the latest first; never their secrets."""
        pages = Latest()
        page: list[ApiKey] | None = pages.paginate_queryset(selectors.keys_of(self.user), request, view=self)
        return pages.get_paginated_response([wire.api_key(row) for row in page or ()])

    @extend_schema(request=KeyInput, responses={201: NewKey})
    def post(self, request: Request) -> Response:
        """Make a key. Its secret is in this answer and nowhere else."""
        key, secret = apikeys.create(user=self.user, **checked(KeyInput, request))
        return Response({**wire.api_key(key), "secret": secret}, status=201, headers={"Cache-Control": "no-store"})


class KeyView(LoggedIn):
    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Revoke a key; what it opened ends within two seconds."""
        apikeys.revoke(key=id, of=self.user, actor=self.user)
        return Response(status=204)


class LoginsView(LoggedIn):
    scopes = {"GET": Scope.ADMIN}

    @extend_schema(operation_id="v1_logins_list", responses=LoginPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """Where you are logged in, the latest first."""
        pages, current = Latest(), self.identity.login
        page: list[Login] | None = pages.paginate_queryset(selectors.logins_of(self.user), request, view=self)
        return pages.get_paginated_response([wire.login(row, current) for row in page or ()])


class LoginView(LoggedIn):
    scopes = {"DELETE": Scope.ADMIN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Log out there: its tokens, sockets and streams end within two seconds."""
        if not selectors.logins_of(self.user).filter(id=id).exists():
            raise Problem("not_found", "There is no such login.")
        logins.end(login=id, reason=Login.Reason.LOGOUT)
        return Response(status=204)
