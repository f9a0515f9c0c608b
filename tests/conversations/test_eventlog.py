"""The log: numbers without holes, once each, whatever happens around it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from accounts.models import AuditEntry, User
from chatproject.lib import failpoints, metrics
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.postgresql.outage import PAUSE_SECONDS
from conversations import detours, eventlog
from conversations.appends import Draft, State
from conversations.models import Message
from conversations.services import conversations, members, messages
from tests.conversations.support import (
    another_connection,
    at_once,
    check_numbers,
    frames,
    locked,
    note,
    refusal,
    replayed,
    texts,
)
from tests.outages import database_away


def new_conversations(owner: User, count: int) -> list[UUID]:
    made = [conversations.create(user=owner) for _ in range(count)]
    return [future.result(30).conversation.id for future in made]


def refuse(state: State, draft: Draft) -> None:
    raise Problem("forbidden")


def test_many_threads_write_without_a_hole(alice: User) -> None:
    rooms = new_conversations(alice, 3)

    at_once(20, lambda n: [eventlog.append(note(alice, room, cmid=f"{n}-{i}")) for i in range(5) for room in rooms])

    for room in rooms:
        assert check_numbers(room) == 1 + 20 * 5
        replayed(room)


def test_several_processes_write_without_a_hole(alice: User) -> None:
    rooms = new_conversations(alice, 5)
    url = settings.DATABASE_URL.rsplit("/", 1)
    name = connection.settings_dict["NAME"]
    query = url[1].partition("?")[2]
    environment = {**os.environ, "DATABASE_URL": f"{url[0]}/{name}" + (f"?{query}" if query else "")}
    command = [sys.executable, "-m", "tests.conversations.appending", str(alice.id)]

    processes = [
        subprocess.Popen([*command, name, "40", *map(str, rooms)], env=environment, cwd=settings.BASE_DIR)
        for name in ("one", "two", "three")
    ]

    assert [process.wait(60) for process in processes] == [0, 0, 0]
    for room in rooms:
        assert check_numbers(room) == 1 + 3 * 40
        assert sorted(texts(room)) == sorted(f"{name} {n}" for name in ("one", "two", "three") for n in range(40))
        for process_name in ("one", "two", "three"):
            own = [text for text in texts(room) if text.startswith(process_name)]
            assert own == [f"{process_name} {n}" for n in range(40)]
        replayed(room)


def test_one_cmid_a_hundred_times_is_one_event(alice: User, conversation: UUID) -> None:
    answers = at_once(
        100, lambda _: messages.send(user=alice, conversation=conversation, text="Hi", cmid="once").result(30)
    )

    assert sum(not answer.dup for answer in answers) == 1
    assert len({(answer.main["seq"], answer.main["id"]) for answer in answers}) == 1
    assert all(answer.main == frames(conversation)[-1] for answer in answers)
    assert texts(conversation) == ["Hi"]


def test_one_cmid_with_two_texts_is_a_conflict_and_the_first_stays(alice: User, conversation: UUID) -> None:
    answers = at_once(20, lambda n: messages.send(user=alice, conversation=conversation, text=f"{n}", cmid="once"))

    stored = [answer.result() for answer in answers if not answer.exception(30)]
    assert [refusal(answer) for answer in answers if answer.exception()] == ["conflict"] * 19
    assert texts(conversation) == [stored[0].main["data"]["text"]]


def test_a_cmid_belongs_to_one_author_and_one_conversation(alice: User, bob: User, conversation: UUID) -> None:
    elsewhere = new_conversations(alice, 1)[0]
    for author, room in ((alice, conversation), (bob, conversation), (alice, elsewhere)):
        assert not messages.send(user=author, conversation=room, text=author.name, cmid="same").result(30).dup


def test_what_is_read_is_what_was_acknowledged(alice: User, conversation: UUID) -> None:
    text = "Grüße 👋🏽 \u2028 'quotes' \\ \"and\" \n lines"

    sent = messages.send(user=alice, conversation=conversation, text=text, cmid="1", seen_seq=2).result(30)

    assert frames(conversation)[-1] == sent.main
    assert sent.main["data"]["text"] == text


# --- One bad append in a group ----------------------------------------------------------------------------


def test_a_refused_append_leaves_no_hole(alice: User, conversation: UUID) -> None:
    outcomes = [
        eventlog.submit(note(alice, conversation, cmid=str(n), decide=refuse if n % 2 else lambda s, d: None))
        for n in range(20)
    ]

    assert [outcome.exception(30) is None for outcome in outcomes] == [n % 2 == 0 for n in range(20)]
    assert check_numbers(conversation) == 2 + 10


def broken_sql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def broken_python() -> None:
    raise KeyError("a mistake of ours")


def refusing() -> None:
    raise Problem("forbidden", "An effect must not refuse.")


@pytest.mark.parametrize("break_", [broken_sql, broken_python, refusing])
def test_an_append_whose_effect_breaks_fails_alone(alice: User, conversation: UUID, break_: Callable[[], None]) -> None:
    other = new_conversations(alice, 1)[0]
    with locked(conversation):  # so that all of them wait, and are written together
        outcomes = [
            eventlog.submit(note(alice, conversation, cmid=str(n), effects=[break_] if n == 2 else []))
            for n in range(5)
        ]
        outcomes += [
            eventlog.submit(note(alice, other, cmid=str(n), effects=[break_] if n == 1 else [])) for n in range(5)
        ]

    assert [outcome.exception(30) is None for outcome in outcomes] == [n not in (2, 6) for n in range(10)]
    assert refusal(outcomes[2]) == "internal"
    assert (check_numbers(conversation), check_numbers(other)) == (2 + 4, 1 + 4)
    replayed(conversation)


def test_a_decision_that_breaks_fails_alone(alice: User, conversation: UUID) -> None:
    def break_(state: State, draft: Draft) -> None:
        raise ZeroDivisionError

    outcomes = [
        eventlog.submit(note(alice, conversation, cmid=str(n), decide=break_ if n == 1 else lambda s, d: None))
        for n in range(4)
    ]

    assert [outcome.exception(30) is None for outcome in outcomes] == [True, False, True, True]
    assert refusal(outcomes[1]) == "internal"


def test_an_effect_that_breaks_leaves_nothing_half_written(alice: User, conversation: UUID) -> None:
    def half() -> None:
        AuditEntry.objects.create(at=alice.date_joined, action="half", target_type="test", target_id=str(conversation))
        broken_sql()

    assert refusal(eventlog.submit(note(alice, conversation, cmid="1", effects=[half]))) == "internal"
    assert not AuditEntry.objects.filter(target_id=str(conversation), action="half").exists()
    assert not Message.objects.filter(conversation=conversation).exists()
    assert check_numbers(conversation) == 2


def test_a_role_counts_from_the_next_append_of_the_same_group_on(alice: User, bob: User, conversation: UUID) -> None:
    with locked(conversation):
        members.remove(actor=alice, conversation=conversation, user=bob.id)
        late = messages.send(user=bob, conversation=conversation, text="Still here?", cmid="late")
        members.add(actor=alice, conversation=conversation, user=bob.id)
        back = messages.send(user=bob, conversation=conversation, text="Back", cmid="back")

    assert refusal(late) == "not_found"
    assert back.result(30).main["data"]["text"] == "Back"
    replayed(conversation)


# --- Locks held elsewhere ---------------------------------------------------------------------------------


def test_a_locked_conversation_waits_and_delays_nobody(alice: User, conversation: UUID) -> None:
    others = new_conversations(alice, 5)
    with locked(conversation):
        waiting = [messages.send(user=alice, conversation=conversation, text=f"{n}", cmid=f"{n}") for n in range(10)]
        began = time.monotonic()
        for n in range(5):
            for other in others:
                messages.send(user=alice, conversation=other, text="Hello", cmid=f"{n}").result(30)
        assert time.monotonic() - began < 1.5
        assert not any(outcome.done() for outcome in waiting)

    assert [outcome.result(30).main["seq"] for outcome in waiting] == list(range(3, 13))
    assert texts(conversation) == [f"{n}" for n in range(10)]


def test_what_comes_after_a_locked_append_keeps_its_place(alice: User, conversation: UUID) -> None:
    with locked(conversation):
        first = messages.send(user=alice, conversation=conversation, text="first", cmid="1")
        time.sleep(0.2)
    second = messages.send(user=alice, conversation=conversation, text="second", cmid="2")

    assert second.result(30).main["seq"] == first.result(30).main["seq"] + 1


def test_a_lock_that_is_not_had_in_time_is_unavailable(alice: User, conversation: UUID) -> None:
    with locked(conversation):
        began = time.monotonic()
        outcomes = [messages.send(user=alice, conversation=conversation, text="Hi", cmid=f"{n}") for n in range(5)]
        assert [refusal(outcome) for outcome in outcomes] == ["unavailable"] * 5
        assert settings.LOCK_TIMEOUT_MS / 1000 <= time.monotonic() - began < settings.LOCK_TIMEOUT_MS / 1000 + 2
    assert check_numbers(conversation) == 2

    again = messages.send(user=alice, conversation=conversation, text="Hi", cmid="0").result(30)

    assert (again.main["seq"], again.dup) == (3, False)


def test_many_locked_conversations_are_told_in_time_too(alice: User) -> None:
    """More than are waited for at the same time."""
    rooms = new_conversations(alice, 3 * detours.THREADS)
    with ExitStack() as holders:
        for room in rooms:
            holders.enter_context(locked(room))
        began = time.monotonic()
        outcomes = [messages.send(user=alice, conversation=room, text="Hi", cmid="1") for room in rooms]
        assert [refusal(outcome) for outcome in outcomes] == ["unavailable"] * len(rooms)
        assert time.monotonic() - began < settings.LOCK_TIMEOUT_MS / 1000 + 1
    assert all(check_numbers(room) == 1 for room in rooms)


def test_what_waits_for_locks_is_bounded(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "GROUP_COMMIT_QUEUE", 3)
    refused = metrics.refusals.labels("writes")._value.get()
    with locked(conversation):
        sent = [messages.send(user=alice, conversation=conversation, text="Hi", cmid=f"{n}") for n in range(10)]
        told = [outcome for outcome in sent if outcome.exception(30) and "Too many" in str(outcome.exception())]
        assert 5 <= len(told) <= 7
    assert metrics.refusals.labels("writes")._value.get() >= refused + 5
    assert check_numbers(conversation) == 2


def test_a_lock_on_another_row_delays_only_who_needs_it(alice: User, bob: User, conversation: UUID) -> None:
    """The row of a user, which the audit entry refers to, is held: only appends with an audit entry wait."""
    other = new_conversations(alice, 1)[0]
    with another_connection() as holder:
        holder.execute("SELECT 1 FROM accounts_user WHERE id = %s FOR UPDATE", [bob.id])
        waiting = members.add(actor=alice, conversation=other, user=bob.id)
        began = time.monotonic()
        messages.send(user=alice, conversation=conversation, text="Hello", cmid="1").result(30)
        assert time.monotonic() - began < 1

    assert waiting.result(30).main["type"] == "member:add"


# --- The database goes away -------------------------------------------------------------------------------


def writer_pid(user: User, conversation: UUID) -> int:
    """The server process behind the connection of the log's writer."""
    pids: list[int] = []

    def remember() -> None:
        assert connection.connection
        pids.append(connection.connection.info.backend_pid)

    eventlog.append(note(user, conversation, cmid=str(new_id()), effects=[remember]))
    return pids[0]


def kill(pid: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_killed_connections_lose_nothing_that_was_acknowledged(alice: User) -> None:
    extra, *rooms = new_conversations(alice, 4)
    acknowledged: dict[UUID, list[str]] = {room: [] for room in rooms}
    for round_ in range(4):
        pid = writer_pid(alice, extra)
        sent = [
            (room, f"{round_}-{n}", messages.send(user=alice, conversation=room, text="Hi", cmid=f"{round_}-{n}"))
            for n in range(60)
            for room in rooms
        ]
        kill(pid)
        for room, cmid, future in sent:
            if future.exception(30) is None:
                acknowledged[room].append(cmid)
            else:
                assert refusal(future) == "unavailable"

    for room in rooms:
        check_numbers(room)
        stored = [frame["cmid"] for frame in frames(room) if frame["type"] == "message:new"]
        assert len(stored) == len(set(stored))
        assert set(acknowledged[room]) <= set(stored)
        replayed(room)


def test_a_dead_connection_is_replaced_without_a_word(alice: User, conversation: UUID) -> None:
    extra = new_conversations(alice, 1)[0]
    for n in range(3):
        kill(writer_pid(alice, extra))
        messages.send(user=alice, conversation=conversation, text="Hi", cmid=f"{n}").result(30)

    assert check_numbers(conversation) == 2 + 3


def test_while_the_database_is_away_nothing_is_acknowledged_and_then_all_is_well(
    alice: User, conversation: UUID
) -> None:
    with database_away():
        for n in range(2):
            began = time.monotonic()
            assert (
                refusal(messages.send(user=alice, conversation=conversation, text="Hi", cmid=f"{n}")) == "unavailable"
            )
            assert time.monotonic() - began < 3
    time.sleep(PAUSE_SECONDS)  # until then whoever comes is told at once that it was away a moment ago
    began = time.monotonic()
    again = messages.send(user=alice, conversation=conversation, text="Hi", cmid="0")

    assert (again.result(30).main["seq"], again.result().dup) == (3, False)
    assert time.monotonic() - began < 1


def test_a_creation_whose_commit_was_not_heard_of_is_found(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """COMMIT, and then the connection breaks: the writer's second try finds what the first one did."""
    original = failpoints.hit
    hits: list[str] = []

    def break_once(name: str) -> None:
        if name == "after_commit" and not hits:
            hits.append(name)
            raise OperationalError("the connection broke")
        original(name)

    monkeypatch.setattr(failpoints, "hit", break_once)

    made = conversations.create(user=alice, message="Hello").result(30)

    assert (made.dup, check_numbers(made.conversation.id)) == (True, 2)
