"""Where a reader of all of a user's conversations stands: small however many there are, and exact.

A snapshot of PostgreSQL tells of every transaction whether it was over at that moment, for ever. Every event
notes the transaction that wrote it. So one snapshot is a position in all conversations at once, in each of
them the head of its log at that moment, and what commits later can never come to lie before it
(docs/decisions/0016-one-stream.md). Beside it stands by how much single conversations are ahead of it.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self
from uuid import UUID

import msgspec

from chatproject.lib.errors import Problem

SNAPSHOT = re.compile(r"(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)")
# Transactions under way that a position names one by one; with more of them, all since the oldest count as such.
UNDER_WAY_MAX = 200
# Bytes of a position as text at most; longer ones were not made here.
TEXT_MAX = 16384


class _Stored(msgspec.Struct, array_like=True):
    """What the text of a position holds; `since` is in milliseconds since 1970."""

    numbering: bytes
    base: str
    since: int | None
    ahead: list[tuple[bytes, int]]
    target: str | None
    at: tuple[bytes, int] | None


@dataclass
class Base:
    """A moment: a snapshot, or a time where somebody knows nothing better."""

    snapshot: str = ""
    since: datetime | None = None


@dataclass
class StreamCursor:
    """The position in a conversation is the largest of: its head at `base`, what `ahead` says, and, on the way to
    the snapshot `target`, which conversations are brought to in the order of their ids: its head there for
    those before the id in `at`, and the seq in `at` for that one itself.

    `numbering` tells databases apart that number differently.
    """

    numbering: bytes
    base: Base
    ahead: dict[UUID, int] = field(default_factory=dict)
    target: str | None = None
    at: tuple[UUID, int] | None = None

    def aim(self, target: str) -> None:
        """Begin to bring every conversation to `target`, unless on the way already."""
        if self.target is None:
            self.target, self.at = target, None

    def reach(self, heads: dict[UUID, int]) -> None:
        """Everything is at `target`, where the conversations that changed since `base` have `heads`."""
        assert self.target is not None
        self.base, self.target, self.at = Base(self.target), None, None
        self.ahead = {id_: seq for id_, seq in self.ahead.items() if seq > heads.get(id_, 0)}

    def seq_of(self, conversation: UUID, held: int, joined: int) -> int:
        """The position in a conversation that had the head `held` at the snapshot that counts for it.

        Where the user became a member by a later event, `joined`, nothing of it: what is new to him comes whole.
        """
        at, reached = self.at or (None, 0)
        return max(
            held if held >= joined else 0,
            self.ahead.get(conversation, 0),
            reached if at == conversation else 0,
        )

    def encode(self) -> str:
        """As text without spaces: the `id` of a server-sent event."""
        since = self.base.since
        stored = _Stored(
            numbering=self.numbering,
            base=self.base.snapshot,
            since=None if since is None else int(since.timestamp() * 1000),
            ahead=[(id_.bytes, seq) for id_, seq in self.ahead.items()],
            target=self.target,
            at=(self.at[0].bytes, self.at[1]) if self.at else None,
        )
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(stored)).decode()

    @classmethod
    def decode(cls, text: str) -> Self:
        """The reverse of `encode`. Raises Problem `invalid`."""
        try:
            stored = msgspec.msgpack.decode(_raw(text), type=_Stored)
            return cls(
                numbering=stored.numbering,
                base=_base(stored),
                ahead={UUID(bytes=id_): seq for id_, seq in stored.ahead},
                target=None if stored.target is None else _valid(stored.target),
                at=(UUID(bytes=stored.at[0]), stored.at[1]) if stored.at else None,
            )
        except (ValueError, OverflowError, OSError, msgspec.DecodeError) as error:
            raise Problem("invalid", "Last-Event-ID must be the id of an earlier event of this stream.") from error


def newest_transaction(cursor: StreamCursor) -> int:
    """The first transaction that had not begun at the newest snapshot of a cursor."""
    snapshots = [one for one in (cursor.base.snapshot, cursor.target) if one]
    return max((int(one.split(":")[1]) for one in snapshots), default=0)


def compact(snapshot: str) -> str:
    """`snapshot`, or an earlier one where it would name too many transactions that are under way."""
    oldest, _, under_way = snapshot.split(":")
    return f"{oldest}:{oldest}:" if under_way.count(",") >= UNDER_WAY_MAX else snapshot


def _raw(text: str) -> bytes:
    if len(text) > TEXT_MAX:
        raise ValueError
    try:
        return base64.b64decode(text.strip().encode("ascii"), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _base(stored: _Stored) -> Base:
    if stored.since is None:
        return Base(_valid(stored.base))
    return Base(since=datetime.fromtimestamp(stored.since / 1000, UTC))


def _valid(snapshot: str) -> str:
    """`snapshot`, if PostgreSQL would take it. Raises ValueError."""
    match = SNAPSHOT.fullmatch(snapshot)
    if match is None:
        raise ValueError
    oldest, after = int(match[1]), int(match[2])
    under_way = [int(one) for one in match[3].split(",")] if match[3] else []
    ascending = sorted(set(under_way)) == under_way
    inside = all(oldest <= one < after for one in under_way)
    if not (0 < oldest <= after < 2**63 and ascending and inside):
        raise ValueError
    return snapshot
