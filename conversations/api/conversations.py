"""Routes of conversations and their members."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.services import users
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, etag, flag, idempotency_key, if_match
from conversations import selectors, wire
from conversations.api import desk
from conversations.api.base import View, attempt, write_once
from conversations.api.pagination import PAGE, ByMembership, ByTime
from conversations.api.serializers import (
    ConversationChange,
    ConversationInput,
    ConversationPage,
    ConversationShape,
    MemberInput,
    MemberPage,
    MemberShape,
    RoleInput,
)
from conversations.api.usage import one_of
from conversations.models import BatchRow, Conversation
from conversations.permissions import Permission
from conversations.search import finding, query
from conversations.services import conversations, erasing, members


class ConversationFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Conversation.Status.choices)
    assistant = filters.CharFilter()
    tag = filters.CharFilter(method="with_tag")
    updated_since = filters.IsoDateTimeFilter(method="changed_since")
    q = filters.CharFilter(method="having")
    batch = filters.UUIDFilter(method="asked_by")

    def with_tag(self, rows: QuerySet[Conversation], _name: str, tag: str) -> QuerySet[Conversation]:
        return rows.filter(tags__contains=[tag])

    def having(self, rows: QuerySet[Conversation], _name: str, text: str) -> QuerySet[Conversation]:
        """Those in which a message, or the title, has all of a query. Raises Problem `invalid`."""
        return rows.filter(id__in=finding.conversations(self.request.user, query.parse(text)))

    def asked_by(self, rows: QuerySet[Conversation], _name: str, batch: UUID) -> QuerySet[Conversation]:
        return rows.filter(id__in=BatchRow.objects.filter(batch=batch).values("conversation"))

    def changed_since(self, rows: QuerySet[Conversation], name: str, moment: datetime) -> QuerySet[Conversation]:
        """In UTC, because PostgreSQL takes fewer offsets than RFC 3339 has."""
        try:
            return rows.filter(updated_at__gte=moment.astimezone(UTC))
        except OverflowError as error:
            raise Problem("invalid", errors={name: ["This time cannot be told in UTC."]}) from error


# With these, also conversations that are one question of a batch each.
SEARCHED = {"batch", "q"}
# Whose conversations.
OF = ("mine", "desk")
FILTERS = [
    OpenApiParameter("status", str, enum=Conversation.Status.values, description="`archived` only on request."),
    OpenApiParameter("assistant", str),
    OpenApiParameter("tag", str),
    OpenApiParameter("updated_since", datetime),
    OpenApiParameter("q", str, description="What a message, or the title, has to contain."),
    OpenApiParameter("batch", UUID, description="Those in which the questions of this batch were asked."),
    OpenApiParameter("of", str, enum=OF, description="`desk` is for staff with `answer_as_agent`."),
]


class ConversationsView(View):
    limits = {"POST": "send"}

    @extend_schema(operation_id="v1_conversations_list", responses=ConversationPage, parameters=[*PAGE, *FILTERS])
    def get(self, request: Request) -> Response:
        """The conversations of which the user is a member, the latest changed first; archived only on request, and
        those of a batch's questions only with `batch` or `q`. With `of=desk` everybody's that wait for a person or are
        with one, the longest waiting first, for staff who may claim them."""
        if one_of(request.query_params, "of", OF) == "desk":
            return desk.page(self, request, self.user)
        whole = SEARCHED & set(request.query_params)
        rows = (selectors.visible_conversations if whole else selectors.listed_conversations)(self.user.id)
        found = ConversationFilter(request.query_params, queryset=rows, request=request)
        if not found.is_valid():
            raise Problem("invalid", errors={name: list(map(str, texts)) for name, texts in found.errors.items()})
        rows = found.qs if "status" in request.query_params else found.qs.exclude(status="archived")
        pages = ByTime()
        page: list[Any] | None = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response([selectors.wire_conversation(row) for row in page or ()])

    @extend_schema(request=ConversationInput, responses={201: ConversationShape})
    def post(self, request: Request) -> Response:
        """Begin a conversation, with its first message in the same transaction where given."""
        given = checked(ConversationInput, request)
        try:
            key = idempotency_key(request) or attempt(self, request, conversations.CREATE_ROUTE)
            done = conversations.create(user=self.user, idempotency_key=key, **given)
            id_ = done.result().conversation.id
        except conversations.AlreadyCreated as before:
            id_ = before.conversation
        return self._answer(id_, 201)

    def _answer(self, id_: UUID, status: int) -> Response:
        row = selectors.shown_conversation(self.user, id_)
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

        def update(cmid: str | None) -> Any:
            return conversations.update(user=self.user, conversation=id, changes=changes, version=version, cmid=cmid)

        write_once(request, update, "PATCH conversation")
        return self._answer(id)

    @extend_schema(responses={204: None}, parameters=[OpenApiParameter("erase", bool)])
    def delete(self, request: Request, id: UUID) -> Response:
        """Archive a conversation; with `erase=true` erase its content for good.

        What is erased cannot be had back by anybody: offer the conversation's export before.
        """
        self.conversation(id)
        if flag(request, "erase"):
            self._erase(id)
        else:
            write_once(
                request,
                lambda cmid: conversations.archive(user=self.user, conversation=id, cmid=cmid),
                "DELETE conversation",
            )
        return Response(status=204)

    def _erase(self, id_: UUID) -> None:
        """Erasing twice, or what retention has erased already, is no error."""
        if not selectors.conversation_for(self.user, id_, Permission.ERASE).erased:
            erasing.erase(user=self.user, conversation=id_)

    def _answer(self, id_: UUID) -> Response:
        row = selectors.shown_conversation(self.user, id_)
        return Response(selectors.wire_conversation(row), headers={"ETag": etag(row.version)})


class MembersView(View):
    permissions = {"GET": Permission.READ, "POST": Permission.MANAGE_MEMBERS}

    @extend_schema(operation_id="v1_conversations_members_list", responses=MemberPage, parameters=PAGE)
    def get(self, request: Request, id: UUID) -> Response:
        """Who takes part, the first ones first."""
        self.conversation(id)
        pages = ByMembership()
        page = pages.paginate_queryset(selectors.member_rows(id), request, view=self)
        return pages.get_paginated_response([wire.member(row) for row in page or ()])

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
        given = checked(RoleInput, request)
        write_once(
            request,
            lambda cmid: members.change(actor=self.user, conversation=id, user=user, cmid=cmid, **given),
            f"PATCH member {user}",
        )
        return Response(_member(id, user))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID, user: UUID) -> Response:
        """Remove a member; everybody but the owner may remove themselves."""
        self.conversation(id)
        write_once(
            request,
            lambda cmid: members.remove(actor=self.user, conversation=id, user=user, cmid=cmid),
            f"DELETE member {user}",
        )
        return Response(status=204)


def _member(conversation: UUID, user: UUID) -> dict[str, Any]:
    """Raises Problem `not_found` where the membership has ended meanwhile."""
    row = selectors.member_rows(conversation).filter(user=user).first()
    if row is None:
        raise Problem("not_found", "This user is not a member.")
    return wire.member(row)
