"""What runs took, added up by PostgreSQL."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, TextField
from django.db.models.functions import Cast, TruncDate

from accounts.models import User
from conversations.models import Run
from conversations.usage import adding
from conversations.usage.tokens import COUNTS

Json = dict[str, Any]

GROUPS = {
    "assistant": F("assistant"),
    "user": Cast("requested_by", TextField()),
    "day": Cast(TruncDate("queued_at", tzinfo=UTC), TextField()),
}
# Rows of one answer at most, those with the most tokens.
ROWS_MAX = 1000


@dataclass
class Total:
    """What came together under one `key`; costs by currency."""

    key: str
    runs: int = 0
    estimated: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    cost: dict[str, Decimal] = field(default_factory=dict)

    def take(self, row: Json) -> None:
        self.runs, self.estimated = row["runs"], row["estimates"]
        self.tokens = {name: int(row[name]) for name in COUNTS}

    def pay(self, row: Json) -> None:
        self.cost[row["currency"]] = self.cost.get(row["currency"], Decimal(0)) + row["cost"]

    @property
    def all_tokens(self) -> int:
        return self.tokens["input_tokens"] + self.tokens["output_tokens"]

    def public(self) -> Json:
        cost = {currency: f"{value.normalize():f}" for currency, value in sorted(self.cost.items())}
        return {"runs": self.runs, "estimated": self.estimated, **self.tokens, "cost": cost}


def usage(*, begin: datetime, end: datetime, group: str, user: UUID | None) -> tuple[list[Total], Total]:
    """What runs that were asked for from `begin` until before `end` took, by `group` (GROUPS), and all together.

    Of one user, or of everybody: whoever calls this has checked who may see that. An assistant that others asked for
    their answers has what it took for them. Days come in order, others by their tokens.
    """
    asked = Run.objects.filter(requested_by=user) if user else Run.objects.filter(requested_by__isnull=False)
    rows = asked.filter(queued_at__gte=begin, queued_at__lt=end, ended_at__isnull=False).order_by()
    found: dict[str, Total] = {}
    everything = Total("")
    for row in adding.added(rows.values("id", "usage", key=GROUPS[group]), by_assistant=group == "assistant"):
        of_key = everything if row["level"] == adding.ALL else found.setdefault(row["key"], Total(row["key"]))
        if row["level"] != adding.PRICED:
            of_key.take(row)
        elif row["currency"]:
            of_key.pay(row)
            everything.pay(row)
    if group == "day":
        return sorted(found.values(), key=lambda one: one.key), everything
    return sorted(found.values(), key=lambda one: (-one.all_tokens, one.key))[:ROWS_MAX], everything


def names_of(users: Iterable[str]) -> dict[str, str]:
    """What users are called, by id; those who are gone have no name."""
    return {str(user.id): user.display_name for user in User.objects.filter(id__in=list(users))}
