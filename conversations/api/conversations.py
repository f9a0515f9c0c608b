"""Routes of conversations and their members."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import users
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, etag, idempotency_key, if_match
from conversations import selectors, wire
from conversations.access import Permission
from conversations.api.base import View, write_once
from conversations.api.pagination import ByTime
from conversations.api.serializers import (
    ConversationChange,
    ConversationInput,
    ConversationPage,
    ConversationShape,
    MemberInput,
    MemberShape,
    RoleInput,
)
from conversations.models import Conversation, Member
from conversations.services import conversations, members


class ConversationFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Conversation.Status.choices)
    assistant = filters.CharFilter()
    tag = filters.CharFilter(method="with_tag")
    updated_since = filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte")

    def with_tag(self, rows: QuerySet[Conversation], _name: str, tag: str) -> QuerySet[Conversation]:
        return rows.filter(tags__contains=[tag])


class ConversationsView(View):
    @extend_schema(responses=ConversationPage, filters=True)
    def get(self, request: Request) -> Response:
        """The conversations of which the user is a member, the latest changed first; archived only on request."""
        found = ConversationFilter(request.query_params, queryset=selectors.visible_conversations(self.user))
        if not found.is_valid():
            raise Problem("invalid", errors={name: list(map(str, texts)) for name, texts in found.errors.items()})
        rows = found.qs if "status" in request.query_params else found.qs.exclude(status="archived")
        pages = ByTime()
        page: list[Any] | None = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response([selectors.wire_conversation(row) for row in page or ()])

    @extend_schema(request=ConversationInput, responses={201: ConversationShape})
    def post(self, request: Request) -> Response:
        """Begin a conversation, with its first message in the same transaction where given."""
        creating = conversations.create
        try:
            done = creating(
                user=self.user,
                idempotency_key=idempotency_key(request),
                **checked(ConversationInput, request),
            )
            id_ = done.result().conversation.id
        except conversations.AlreadyCreated as before:
            id_ = before.conversation
        return self._answer(id_, 201)

    def _answer(self, id_: UUID, status: int) -> Response:
        row = selectors.conversation_for(self.user, id_)
        return Response(selectors.wire_conversation(row), status=status, headers={"ETag": etag(row.version)})


class ConversationView(View):
    permissions = {"GET": Permission.READ, "PATCH": Permission.CHANGE, "DELETE": Permission.ARCHIVE}

    @extend_schema(responses=ConversationShape)
    def get(self, request: Request, id: UUID) -> Response:
        """One conversation."""
        return self._answer(id)

    @extend_schema(request=ConversationChange, responses=ConversationShape)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change title, status, tags, assistant or metadata; with If-Match only the current version."""
        self.conversation(id)
        changes, version = checked(ConversationChange, request, partial=True), if_match(request)
        conversations.update(user=self.user, conversation=id, changes=changes, version=version).result()
        return self._answer(id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Archive a conversation."""
        self.conversation(id)
        conversations.archive(user=self.user, conversation=id).result()
        return Response(status=204)

    def _answer(self, id_: UUID) -> Response:
        row = selectors.conversation_for(self.user, id_)
        return Response(selectors.wire_conversation(row), headers={"ETag": etag(row.version)})


class MembersView(View):
    permissions = {"GET": Permission.READ, "POST": Permission.MANAGE_MEMBERS}

    @extend_schema(responses=MemberShape(many=True))
    def get(self, request: Request, id: UUID) -> Response:
        """Who takes part."""
        self.conversation(id)
        return Response({"next": None, "previous": None, "results": selectors.members(id)})

    @extend_schema(request=MemberInput, responses={201: MemberShape})
    def post(self, request: Request, id: UUID) -> Response:
        """Add a member by id or user name."""
        self.conversation(id)
        given = checked(MemberInput, request)
        write_once(
            request,
            lambda cmid: members.add(actor=self.user, conversation=id, cmid=cmid, **given),
            "POST members",
        )
        return Response(_member(id, users.find(given["user"]).id), status=201)


class MemberView(View):
    permissions = {"PATCH": Permission.MANAGE_MEMBERS, "DELETE": Permission.READ}

    @extend_schema(request=RoleInput, responses=MemberShape)
    def patch(self, request: Request, id: UUID, user: UUID) -> Response:
        """Give a member another role."""
        self.conversation(id)
        members.change(actor=self.user, conversation=id, user=user, **checked(RoleInput, request)).result()
        return Response(_member(id, user))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID, user: UUID) -> Response:
        """Remove a member; everybody but the owner may remove themselves."""
        self.conversation(id)
        members.remove(actor=self.user, conversation=id, user=user).result()
        return Response(status=204)


def _member(conversation: UUID, user: UUID) -> dict:
    return wire.member(Member.objects.select_related("user").get(conversation=conversation, user=user))
