"""Routes of templates: everybody may read what is offered to them, staff write."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from accounts.identities import Scope
from chatproject.lib.fields import Text
from chatproject.lib.http import checked, etag, idempotency_key, if_match
from conversations import selectors, wire
from conversations.api.pagination import PAGE, ByName
from conversations.models import Template
from conversations.services import templates


class TemplateInput(serializers.Serializer):
    slug = Text(max_length=64)
    name = Text(max_length=100)
    description = Text(required=False, allow_blank=True, max_length=500)
    title = Text(required=False, allow_blank=True, max_length=settings.TITLE_MAX_LENGTH)
    assistant = Text(required=False, allow_null=True, max_length=64)
    system = serializers.ListField(child=Text(trim_whitespace=False), required=False)
    pinned = serializers.ListField(child=Text(trim_whitespace=False), required=False)
    metadata = serializers.DictField(required=False)
    tags = serializers.ListField(child=Text(max_length=50), required=False)
    variables = serializers.ListField(
        required=False,
        child=serializers.DictField(),
        help_text="`{name, type?, label?, required?, default?, choices?, max_length?}`",
    )
    active = serializers.BooleanField(required=False)
    visibility = serializers.ChoiceField(Template.Visibility.choices, required=False)


class TemplateShape(TemplateInput):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class TemplatePage(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = TemplateShape(many=True)


class TemplatesView(LoggedIn):
    scopes = {"POST": Scope.ADMIN}

    @extend_schema(operation_id="v1_templates_list", responses=TemplatePage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """What conversations can begin with, by name; staff see those that are not offered, too."""
        pages = ByName()
        page: list[Any] | None = pages.paginate_queryset(selectors.templates(self.user), request, view=self)
        return pages.get_paginated_response([wire.template(row) for row in page or ()])

    @extend_schema(request=TemplateInput, responses={201: TemplateShape})
    def post(self, request: Request) -> Response:
        """Make a template; for staff."""
        templates.require_staff(self.user)
        given = checked(TemplateInput, request)
        return _answer(templates.create(staff=self.user, given=given, idempotency_key=idempotency_key(request)), 201)


class TemplateView(LoggedIn):
    scopes = {"PATCH": Scope.ADMIN, "DELETE": Scope.ADMIN}

    @extend_schema(responses=TemplateShape)
    def get(self, request: Request, key: str) -> Response:
        """One template, by slug or id."""
        return _answer(selectors.template_for(self.user, key))

    @extend_schema(request=TemplateInput, responses=TemplateShape)
    def patch(self, request: Request, key: str) -> Response:
        """Change a template, with If-Match only the current version; for staff."""
        templates.require_staff(self.user)
        row = selectors.template_for(self.user, key)
        changes, version = checked(TemplateInput, request, partial=True), if_match(request)
        return _answer(templates.change(staff=self.user, template=row, changes=changes, version=version))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key: str) -> Response:
        """Delete a template; conversations that began from it stay. For staff."""
        templates.require_staff(self.user)
        templates.delete(staff=self.user, template=selectors.template_for(self.user, key))
        return Response(status=204)


def _answer(row: Template, status: int = 200) -> Response:
    return Response(wire.template(row), status=status, headers={"ETag": etag(row.version)})
