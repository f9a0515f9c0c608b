"""What rows say against what the log says, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

TABLES = ("conversation", "member", "message", "run", "feedback")
# Values that may be shown: whatever else is there may be what people wrote.
PLAIN = (bool, int, float)
SAFE = frozenset({
    "status", "agent", "role", "since", "run", "reply_to", "branch_of", "text_event", "message", "seq", "active_run",
    "owner", "created_at", "edited_at", "archived_at", "expires_at", "ended_at", "started_at", "queued_at", "end_event",
    "version", "title_event", "rating", "event", "at",
})  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """`field` of row `id` of `table` is `found`, and `expected` by the log; without `field` the whole row is
    missing (`found` None) or one too many (`expected` None)."""

    table: str
    id: str
    field: str
    expected: Any
    found: Any

    @property
    def is_surplus(self) -> bool:
        return not self.field and self.expected is None

    def __str__(self) -> str:
        place = f"{self.table} {self.id}".strip()
        if not self.field:
            return f"{place} {'is in no event' if self.is_surplus else 'is missing'}"
        return f"{place}: {self.field} is {self._shown(self.found)}, by the log {self._shown(self.expected)}"

    def _shown(self, value: Any) -> str:
        shown = value is None or isinstance(value, PLAIN) or self.field in SAFE
        return repr(value) if shown else "…"


def compare(expected: Json, found: Json) -> list[Difference]:
    """All differences between two states, of a fold of everything and of rows.read."""
    differences: list[Difference] = []
    for table in TABLES:
        ours, theirs = rows_of(expected, table), rows_of(found, table)
        for id_ in sorted(ours.keys() | theirs.keys()):
            differences += _compare(table, id_, ours.get(id_), theirs.get(id_))
    return differences


def _compare(table: str, id_: str, expected: Json | None, found: Json | None) -> Iterator[Difference]:
    if expected is None or found is None:
        yield Difference(table, id_, "", expected, found)
        return
    for field in found:
        if not _agree(field, expected.get(field), found[field]):
            yield Difference(table, id_, field, expected.get(field), found[field])


def _agree(field: str, expected: Any, found: Any) -> bool:
    """Tokens may have been counted in further encodings since the text was written."""
    return found == ({**found, **expected} if field == "tokens" and expected is not None else expected)


def rows_of(state: Json, table: str) -> Mapping[str, Json]:
    """The rows of one table in a state, by id."""
    if table == "conversation":
        return {"": state["conversation"]}
    if table == "member":
        members: Json = state["members"]
        return members
    if table == "feedback":
        return {f"{row['message']}/{row['user']}": row for row in state["feedback"]}
    return {row["id"]: row for row in state[f"{table}s"]}
