"""The agents' desk as a list of conversations: what waits for a person, and what people are at."""

from typing import Any

from django_filters import rest_framework as filters
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.api.pagination import ByTime
from conversations.models import Conversation
from conversations.permissions import ANSWER
from conversations.services import staff

STATUSES = [(status.value, status.label) for status in Conversation.HUMAN]


class DeskFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=STATUSES)
    assistant = filters.CharFilter()
    tag = filters.CharFilter(method="with_tag")

    def with_tag(self, rows: Any, _name: str, tag: str) -> Any:
        return rows.filter(tags__contains=[tag])


class ByWaiting(ByTime):
    """What was handed over first, the longest ago."""

    ordering = ("handed_at", "id")


def page(view: APIView, request: Request, user: User) -> Response:
    """Everybody's conversations in which people answer, for staff who may claim them. Titles and reasons are shown, so
    each page leaves an audit entry. Raises Problem `forbidden`, `invalid`."""
    if not (user.is_staff and user.has_perm(ANSWER)):
        raise Problem("forbidden", "The desk is for staff with the permission answer_as_agent.")
    if unknown := {"q", "updated_since", "batch"} & set(request.query_params):
        raise Problem("invalid", errors={name: ["Not at the desk."] for name in sorted(unknown)})
    found = DeskFilter(request.query_params, queryset=selectors.desk_of(user), request=request)
    if not found.is_valid():
        raise Problem("invalid", errors={name: list(map(str, texts)) for name, texts in found.errors.items()})
    pages = ByWaiting()
    rows: list[Any] = pages.paginate_queryset(found.qs, request, view=view) or []
    staff.record_titles_seen(staff=user, conversations=[row.id for row in rows])
    return pages.get_paginated_response([_entry(row) for row in rows])


def _entry(row: Any) -> dict[str, Any]:
    handed = {"at": rfc3339(row.handed_at), "reason": selectors.reason_of(row)}
    return {**selectors.wire_conversation(row), "handoff": handed}
