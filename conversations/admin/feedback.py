"""What people think of messages: filters of the list, and the marks on the page of a conversation."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chatproject.lib.ids import parse_id
from conversations import wire
from conversations.admin.reading import Text, opened
from conversations.models import Conversation, Feedback, Message

SHOWN = 100


class _Counted(admin.SimpleListFilter):
    """Conversations with at least one mark of a kind; `parameter_name` is the counter."""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = {"yes": Q(**{f"{self.parameter_name}__gt": 0}), "no": Q(**{str(self.parameter_name): 0})}
        return queryset.filter(chosen.get(str(self.value()), Q()))


def filters() -> list[type[admin.SimpleListFilter]]:
    """One for each counter of a conversation."""
    fields = [field for field in Conversation._meta.concrete_fields if field.name in Conversation.COUNTERS]
    return [
        type(f"Has{one.name}", (_Counted,), {"title": one.verbose_name, "parameter_name": one.name}) for one in fields
    ]


@dataclass(frozen=True)
class Opinion:
    """One user's marks on one message; `comment` in clear, or None for those who may not read it."""

    row: Feedback
    seq: int | None
    name: str
    comment: Text | None


def opinions(conversation: Conversation, *, readable: bool) -> list[Opinion]:
    """The latest first."""
    rows = list(conversation.feedback.order_by("-at", "-id")[:SHOWN])
    seqs = dict(Message.objects.filter(id__in=[row.message for row in rows]).values_list("id", "seq"))
    ids = [id_ for row in rows if (id_ := parse_id(row.user))]
    names = {str(user.id): user.display_name for user in User.objects.filter(id__in=ids)}
    return [_opinion(row, seqs, names, readable=readable) for row in rows]


def _opinion(row: Feedback, seqs: dict[UUID, int], names: dict[str, str], *, readable: bool) -> Opinion:
    comment = opened(lambda: wire.feedback(row)["comment"]) if readable and row.comment else None
    return Opinion(row, seqs.get(row.message), names.get(row.user, row.user), comment)
