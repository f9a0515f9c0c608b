"""The position in all conversations at once: transactions that overlap, looks at any time, cuts anywhere."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import selectors
from conversations.models import Conversation
from conversations.services import conversations
from conversations.streamcursors import TEXT_MAX, Base, StreamCursor, compact
from tests.conftest import new_user

CONVERSATIONS, WRITERS = 5, 3
LOCK = "SELECT last_seq FROM conversations_conversation WHERE id = %s FOR UPDATE SKIP LOCKED"
INSERT = """
INSERT INTO conversations_event (conversation_id, seq, id, type, actor_kind, actor_id, actor_name, data, at)
VALUES (%s, %s, %s, 'message:pin', 'system', '', '', '{}', now())
"""
ADVANCE = "UPDATE conversations_conversation SET last_seq = %s WHERE id = %s"
# What can happen, and to which conversation or writer, or how often.
STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "write", "end", "undo", "pass", "live", "cut"]), st.integers(0, 14)),
    max_size=40,
)


@pytest.fixture
def reader() -> User:
    return new_user("Alice")


class Writer:
    """Somebody with a transaction of his own, which may write to several conversations and stay open for long."""

    def __init__(self, link: "psycopg.Connection[Any]") -> None:
        self._link = link

    def write(self, conversation: UUID) -> None:
        """One event, in a savepoint, as Django writes; where somebody else is writing there, nothing."""
        with self._link.cursor() as cursor:
            row = cursor.execute(LOCK, [conversation]).fetchone()
            if row:
                cursor.execute("SAVEPOINT one")
                cursor.execute(INSERT, [conversation, row[0] + 1, new_id()])
                cursor.execute(ADVANCE, [row[0] + 1, conversation])
                cursor.execute("RELEASE SAVEPOINT one")

    def end(self) -> None:
        self._link.commit()

    def undo(self) -> None:
        self._link.rollback()


class Reader:
    """What a stream does, without its timing; `given` is what its client has, by conversation."""

    def __init__(self, user: User, ids: list[UUID]) -> None:
        self.user = user
        self.ids = ids
        self.cursor = selectors.stream_now()
        self.given: dict[UUID, list[int]] = defaultdict(list)

    def go(self, most: int) -> None:
        """A pass that is cut after `most` events."""
        [look] = selectors.look([(self.user.id, self.cursor)])
        self.cursor.aim(look.target)
        for change in sorted(look.changed, key=lambda one: one.conversation.bytes):
            seq = self.cursor.seq_of(change.conversation, change.held, change.joined)
            for number in range(seq + 1, change.head + 1):
                if not most:
                    return
                self.given[change.conversation].append(number)
                self.cursor.at = change.conversation, number
                most -= 1
        self.cursor.reach({change.conversation: change.head for change in look.changed})

    def live(self, conversation: UUID, bound: int = 2) -> None:
        """A room brings the next event as soon as it is committed. Between passes only, as a stream does."""
        known = conversation in self.cursor.ahead
        if self.cursor.target or not (known or len(self.cursor.ahead) < bound):
            return
        head = Conversation.objects.values_list("last_seq", flat=True).get(id=conversation)
        at = selectors.heads_at(self.cursor.base.snapshot, [conversation])[conversation]
        seq = self.cursor.seq_of(conversation, at, 1)
        if seq < head:
            self.given[conversation].append(seq + 1)
            self.cursor.ahead[conversation] = seq + 1

    def cut(self) -> None:
        self.cursor = StreamCursor.decode(self.cursor.encode())


@contextmanager
def writers() -> Iterator[list[Writer]]:
    parameters = connection.get_connection_params()
    given = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if name in parameters}
    links = [psycopg.connect(**given) for _ in range(WRITERS)]
    try:
        yield [Writer(link) for link in links]
    finally:
        for link in links:
            link.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whatever_overlaps_every_event_is_given_once(reader: User, steps: list[tuple[str, int]]) -> None:
    ids = [conversations.create(user=reader).result().conversation.id for _ in range(CONVERSATIONS)]
    follower = Reader(reader, ids)
    with writers() as all_writers:
        for act, number in steps:
            one, conversation = all_writers[number % WRITERS], ids[number % CONVERSATIONS]
            acts: dict[str, Callable[[], None]] = {
                "write": partial(one.write, conversation),
                "end": one.end,
                "undo": one.undo,
                "pass": partial(follower.go, number),
                "live": partial(follower.live, conversation),
                "cut": follower.cut,
            }
            acts[act]()
        for one in all_writers:
            one.end()
    follower.cut()
    while follower.cursor.target or selectors.look([(reader.id, follower.cursor)])[0].changed:
        follower.go(1000)
    heads = dict(Conversation.objects.filter(id__in=ids).values_list("id", "last_seq"))
    assert {id_: follower.given[id_] for id_ in ids} == {id_: list(range(2, heads[id_] + 1)) for id_ in ids}


def test_a_long_transaction_elsewhere_does_not_hold_the_position_back(reader: User) -> None:
    ids = [conversations.create(user=reader).result().conversation.id for _ in range(2)]
    follower = Reader(reader, ids)
    with writers() as (slow, quick, _):
        slow.write(ids[0])
        quick.write(ids[1])
        quick.end()
        follower.go(10)
        assert (follower.given[ids[1]], follower.cursor.ahead) == ([2], {})
        slow.end()
        follower.go(10)
    assert follower.given == {ids[0]: [2], ids[1]: [2]}


def test_an_id_is_small_however_many_conversations_there_are() -> None:
    under_way = ",".join(str(10**9 + number) for number in range(1, 200))
    snapshot = compact(f"{10**9}:{10**9 + 300}:{under_way}")
    ahead = {new_id(): 10**6 for _ in range(64)}
    cursor = StreamCursor(bytes(8), Base(snapshot), ahead, snapshot, (new_id(), 5))
    text = cursor.encode()
    assert StreamCursor.decode(text) == cursor
    assert len(text) < 8192 < TEXT_MAX
    assert compact(f"5:999:{','.join(map(str, range(5, 900)))}") == "5:5:"


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_nonsense_is_refused(junk: bytes | str) -> None:
    text = junk if isinstance(junk, str) else junk.hex()
    with pytest.raises(Problem, match="Last-Event-ID"):
        StreamCursor.decode(text)


@pytest.mark.parametrize("snapshot", ["", "0:5:", "5:4:", "5:9:9", "5:9:7,6", "5:9:6,6", f"5:{2**63}:", "5:9:x"])
def test_a_snapshot_that_postgresql_would_refuse_is_refused(snapshot: str) -> None:
    with pytest.raises(Problem, match="Last-Event-ID"):
        StreamCursor.decode(StreamCursor(bytes(8), Base(snapshot)).encode())


def test_what_lies_far_behind_is_not_looked_for_in_the_whole_log(reader: User) -> None:
    """Its head at the position is said to be 0 then, which is too far (docs/sse.md)."""
    [id_] = [conversations.create(user=reader).result().conversation.id]
    follower = Reader(reader, [id_])
    with writers() as (one, *_):
        for _ in range(25):
            one.write(id_)
        one.end()
    with override_settings(CATCHUP_MAX=2):
        [change] = selectors.look([(reader.id, follower.cursor)])[0].changed
    assert (change.held, change.head) == (0, 26)
