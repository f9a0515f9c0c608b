"""Routes of connectors, for staff with Django's permissions."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from accounts.identities import Scope
from chatproject.lib.errors import Problem
from chatproject.lib.fields import Flag, Text
from chatproject.lib.http import checked, etag, idempotency_key, if_match
from conversations import wire
from conversations.api.pagination import PAGE, ByName
from conversations.models import Connector
from conversations.services import connectors


class ConnectorInput(serializers.Serializer):
    name = Text(max_length=64, help_text="What it is asked by; no other assistant has this name.")
    kind = Text(max_length=32)
    description = Text(required=False, allow_blank=True, max_length=200)
    enabled = Flag(required=False)
    config = serializers.DictField(help_text="What its kind asks for (docs/connectors.md).")
    secrets = serializers.DictField(
        required=False,
        child=serializers.CharField(allow_null=True, allow_blank=True, max_length=8192, trim_whitespace=False),
        help_text="By name; null takes one away. Never shown again.",
        write_only=True,
    )


class ConnectorShape(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    enabled = serializers.BooleanField()
    config = serializers.DictField()
    secrets = serializers.DictField(child=serializers.BooleanField(), help_text="Which there are.")
    version = serializers.IntegerField()
    health = serializers.ChoiceField(["", "ok", "failing"])
    health_detail = serializers.CharField(allow_blank=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    state = serializers.DictField(help_text="How far the workers are with building it: `{state, at?, error?}`.")
    breaker = serializers.ChoiceField(["closed", "open", "half-open"])
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ConnectorPage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = ConnectorShape(many=True)


class ConnectorsView(LoggedIn):
    scopes = {"GET": Scope.ADMIN, "POST": Scope.ADMIN}

    @extend_schema(operation_id="v1_connectors_list", responses=ConnectorPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """What staff connected, by name."""
        connectors.require(self.user, "view")
        pages = ByName()
        page: list[Any] | None = pages.paginate_queryset(Connector.objects.all(), request, view=self)
        return pages.get_paginated_response([wire.connector(row) for row in page or ()])

    @extend_schema(request=ConnectorInput, responses={201: ConnectorShape})
    def post(self, request: Request) -> Response:
        """Connect something; open rooms are told, and workers ask it without a restart."""
        connectors.require(self.user, "add")
        given = checked(ConnectorInput, request)
        return _answer(connectors.create(staff=self.user, given=given, idempotency_key=idempotency_key(request)), 201)


class ConnectorView(LoggedIn):
    scopes = {"GET": Scope.ADMIN, "PATCH": Scope.ADMIN, "DELETE": Scope.ADMIN}

    @extend_schema(responses=ConnectorShape)
    def get(self, request: Request, id: UUID) -> Response:
        """One connector, without its secrets."""
        return _answer(_found(self, id, "view"))

    @extend_schema(request=ConnectorInput, responses=ConnectorShape)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change a connector, with If-Match only the current version."""
        row = _found(self, id, "change")
        changes, version = checked(ConnectorInput, request, partial=True), if_match(request)
        return _answer(connectors.change(staff=self.user, connector=row, changes=changes, version=version))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Disconnect it, and forget its secrets and what users allowed it."""
        connectors.delete(staff=self.user, connector=_found(self, id, "delete"))
        return Response(status=204)


class ConnectorTestView(LoggedIn):
    scopes = {"POST": Scope.ADMIN}

    @extend_schema(request=None, responses=ConnectorShape)
    def post(self, request: Request, id: UUID) -> Response:
        """See whether it works, now: `health` and `health_detail` say what was found."""
        return _answer(connectors.check(staff=self.user, connector=_found(self, id, "change")))


def _found(view: LoggedIn, id: UUID, act: str) -> Connector:
    """Raises Problem `forbidden`, `not_found`."""
    connectors.require(view.user, act)
    row = Connector.objects.filter(id=id).first()
    if row is None:
        raise Problem("not_found", "There is no such connector.")
    return row


def _answer(row: Connector, status: int = 200) -> Response:
    return Response(wire.connector(row), status=status, headers={"ETag": etag(row.version)})
