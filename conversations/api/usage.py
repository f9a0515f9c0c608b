"""What runs took and cost: one's own, and for staff who may see it everybody's."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from chatproject.lib import clock
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from conversations.selectors import usage

VIEW_USAGE = "conversations.view_usage"
OF = ("me", "all")
DAY = timedelta(days=1)
# Days that are told of unless `from` is given, and at most.
DAYS, DAYS_MAX = 30, 366


class UsageTotal(serializers.Serializer):
    runs = serializers.IntegerField(help_text="Those that ended, however they did.")
    estimated = serializers.IntegerField(help_text="Those whose tokens we counted ourselves.")
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cached_tokens = serializers.IntegerField(help_text="Part of `input_tokens`.")
    cost = serializers.DictField(child=serializers.CharField(), help_text="By currency, decimal.")


class UsageRow(UsageTotal):
    assistant = serializers.CharField(required=False)
    user = serializers.CharField(required=False)
    day = serializers.DateField(required=False)


class UsageShape(serializers.Serializer):
    begin = serializers.DateTimeField(help_text="Runs that were asked for from here …")
    end = serializers.DateTimeField(help_text="… until before this.")
    group = serializers.ChoiceField(list(usage.GROUPS))
    results = UsageRow(many=True)
    total = UsageTotal()


class UsageView(LoggedIn):
    @extend_schema(
        responses=UsageShape,
        parameters=[
            OpenApiParameter("from", str, description="A date or a time; unless given 30 days before `to`."),
            OpenApiParameter("to", str, description="A date (that day is in) or a time; unless given now."),
            OpenApiParameter("group", str, enum=list(usage.GROUPS)),
            OpenApiParameter("of", str, enum=list(OF), description="`all` is for staff with `view_usage`."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Tokens and cost of the runs that you asked for, by assistant, user or day."""
        begin, end = period(request.query_params)
        group = one_of(request.query_params, "group", tuple(usage.GROUPS))
        user = None if self._of_all(request) else self.user.id
        rows, total = usage.usage(begin=begin, end=end, group=group, user=user)
        results = [{group: row.key, **row.public()} for row in rows]
        times = {"begin": rfc3339(begin), "end": rfc3339(end)}
        return Response({**times, "group": group, "results": results, "total": total.public()})

    def _of_all(self, request: Request) -> bool:
        wanted = one_of(request.query_params, "of", OF) == "all"
        if wanted and not (self.user.is_staff and self.user.has_perm(VIEW_USAGE)):
            raise Problem("forbidden", "What everybody's runs took is for staff with the permission view_usage.")
        return wanted


def one_of(query: Any, name: str, allowed: tuple[str, ...]) -> str:
    """The word of a query string, or the first of those that are allowed. Raises Problem `invalid`."""
    asked = str(query.get(name, allowed[0]))
    if asked not in allowed:
        raise Problem("invalid", errors={name: [f"One of {', '.join(allowed)}."]})
    return asked


def period(query: Any) -> tuple[datetime, datetime]:
    """From when until before when, of a query string. Raises Problem `invalid`."""
    end = _moment(query, "to", end_of_day=True) or clock.now()
    begin = _moment(query, "from") or end - DAYS * DAY
    if not timedelta(0) < end - begin <= DAYS_MAX * DAY:
        raise Problem("invalid", errors={"from": [f"Before `to`, by {DAYS_MAX} days at most."]})
    return begin, end


def _moment(query: Any, name: str, *, end_of_day: bool = False) -> datetime | None:
    raw = str(query.get(name, ""))
    if not raw:
        return None
    try:
        if len(raw) == len("2026-11-30"):
            day = datetime.combine(date.fromisoformat(raw), time(), UTC)
            return day + DAY if end_of_day else day
        found = parse_datetime(raw)
        if found is None or found.tzinfo is None:
            raise ValueError(raw)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Problem("invalid", errors={name: ["A date such as 2026-11-30, or a time with its offset."]}) from error
