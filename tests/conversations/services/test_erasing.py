"""Erasing: the key and everything that was said are gone, everywhere; the log still counts."""

import subprocess
import sys
import time
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as project
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import keys, selectors
from conversations.assistants import chunks
from conversations.models import Conversation, Message, Run
from conversations.services import conversations, erasing, feedback, files, messages, restoring, roomstate, runs
from tests.api import Api
from tests.conversations.support import at_once, check_numbers, environment, frames, projected, refusal, replayed
from tests.serving import eventually


@pytest.fixture
def secret() -> str:
    """Stands in metadata, tags and names of steps in clear, and in texts in envelopes."""
    return f"persimmon-{new_id().hex}"


@pytest.fixture
def rich(alice: User, bob: User, secret: str) -> UUID:
    """A conversation with something in every place, and an answer that is running."""
    made = conversations.create(
        user=alice,
        assistant="guide",
        title=secret,
        metadata={"customer": secret},
        members=[{"user": str(bob.id), "role": "editor"}],
        message=secret,
        idempotency_key=str(new_id()),
    )
    conversation: UUID = made.result(30).conversation.id
    conversations.update(user=alice, conversation=conversation, changes={"tags": [secret]}).result(30)
    claim = claimed(conversation)
    step = {"step": "s1", "kind": "tool", "name": secret, "status": "completed", "input": {"q": secret}}
    runs.step(claim=claim, data=step).result(30)
    runs.end(claim=claim, status="completed", text=secret).result(30)
    feedback.give(
        user=bob, conversation=conversation, message=claim.message, changes={"rating": "up", "comment": secret}
    ).result(30)
    file = files.upload(
        user=bob, conversation=conversation, given=files.Upload(BytesIO(secret.encode()), len(secret), secret)
    )
    parts = [{"type": "file", "id": str(file.id)}]
    messages.send(user=bob, conversation=conversation, text=secret, cmid="other", parts=parts).result(30)
    messages.send(user=bob, conversation=conversation, text=secret, cmid="again").result(30)
    roomstate.set_state(
        user=bob, conversation=conversation, client_id="c", key=secret, value={"draft": secret}, vector={"c": 1}, wall=1
    )
    chunks.store(chunks.Piece(claimed(conversation), secret, 0)).result(30)
    return conversation


def claimed(conversation: UUID) -> runs.Claim:
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    return claim


def rows_with(needle: str) -> list[str]:
    """The tables that hold a text in clear, of all that there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table} t WHERE strpos(t::text, %s) > 0)", [needle])
            if cursor.fetchone()[0]:
                found.append(table)
        return found


def test_nothing_is_left_in_any_table(alice: User, rich: UUID, secret: str) -> None:
    wrapped = Conversation.objects.get(id=rich).data_key
    head = check_numbers(rich)
    assert {"public.conversations_conversation", "public.conversations_event"} <= set(rows_with(secret))
    assert rows_with(wrapped) == ["public.conversations_conversation"]
    assert "public.conversations_message" in rows_with(f"{keys.of(rich).id}.")

    erasing.erase(user=alice, conversation=rich)

    assert not rows_with(secret)
    assert not rows_with(wrapped)
    assert not rows_with(f"{wrapped.split(':')[1]}.")  # what an envelope begins with
    assert rows_of(rich) == set(STAYS)
    # The running answer and the one that waited ended; and the erasure itself.
    assert check_numbers(rich) == head + 3
    replayed(rich)


# What may have rows of an erased conversation; whoever stores something new says here whether it stays.
STAYS = (
    "accounts_auditentry",
    "accounts_idempotencykey",
    "conversation",
    "event",
    "member",
    "message",
    "procrastinate_jobs",
    "run",
)


def rows_of(conversation: UUID) -> set[str]:
    """The tables that name a conversation."""
    names = [name for form in (str(conversation), conversation.hex) for name in rows_with(form)]
    return {name.removeprefix("public.").removeprefix("conversations_") for name in names}


def test_what_the_api_says_afterwards(as_alice: Api, as_bob: Api, rich: UUID) -> None:
    path = f"conversations/{rich}/"
    run = Run.objects.filter(conversation=rich).last()
    kinds = [event["type"] for event in as_alice.get(f"{path}events/").json["results"]]

    assert as_alice.delete(f"{path}?erase=true").status == 204

    row = as_bob.get(path).json
    assert (row["status"], row["erased"], row["title"], row["metadata"], row["tags"]) == (
        "archived",
        True,
        None,
        {},
        [],
    )
    log = as_bob.get(f"{path}events/").json["results"]
    assert [event["type"] for event in log] == [*kinds, "run:end", "run:end", "conversation:update"]
    assert all(event["data"] == {"erased": True} and event["actor"]["name"] for event in log)
    assert row["feedback"] == {"up": 0, "down": 0, "solved": 0, "copied": 0}
    said = as_bob.get(f"{path}messages/").json["results"]
    assert len(said) == 5
    assert all((one["text"], one["status"], one["versions"][0]["seq"]) == ("", "deleted", one["seq"]) for one in said)
    assert run
    assert as_bob.get(f"runs/{run.id}/").json["steps"] == []
    assert selectors.answer(Run.objects.get(id=run.id))["text"] == ""
    assert as_alice.get(f"conversations/{rich}/").json["unread"] == 0


def test_nobody_but_the_owner_and_twice_is_once(
    as_alice: Api, as_bob: Api, as_mallory: Api, conversation: UUID
) -> None:
    path = f"conversations/{conversation}/?erase=true"
    assert as_mallory.delete(path).code == "not_found"
    assert as_bob.delete(path).code == "forbidden"
    assert as_alice.delete(f"conversations/{conversation}/?erase=perhaps").code == "invalid"
    assert not Conversation.objects.get(id=conversation).erased

    assert [as_alice.delete(path).status for _ in range(3)] == [204, 204, 204]

    assert check_numbers(conversation) == 3
    assert AuditEntry.objects.filter(target_id=str(conversation), action="conversation.erased").count() == 1
    assert as_bob.delete(path).code == "forbidden"
    assert as_mallory.delete(path).code == "not_found"


def test_erased_by_many_at_once(alice: User, conversation: UUID) -> None:
    done = at_once(4, lambda _: erasing.erase(user=alice, conversation=conversation))

    assert sorted(one.dup for one in done) == [False, True, True, True]
    assert check_numbers(conversation) == 3


def test_nothing_is_written_afterwards(alice: User, bob: User, mallory: User, rich: UUID, secret: str) -> None:
    """Also by who has the key in memory still."""
    key, claim = keys.of(rich), runs.Claim(rich, *running(rich))
    erasing.erase(user=alice, conversation=rich)
    before = projected(rich)
    keys.remember(rich, key)

    assert refusal(messages.send(user=bob, conversation=rich, text=secret, cmid="late")) == "conversation_closed"
    assert refusal(messages.send(user=mallory, conversation=rich, text=secret, cmid="late")) == "not_found"
    assert (
        refusal(conversations.update(user=alice, conversation=rich, changes={"status": "open"}))
        == "conversation_closed"
    )
    assert refusal(runs.end(claim=claim, status="completed", text=secret)) == "conversation_closed"
    assert refusal(runs.step(claim=claim, data={"step": "s", "kind": "tool", "name": secret})) == "conversation_closed"
    with pytest.raises(Problem, match="run_not_active"):
        chunks.store(chunks.Piece(claim, secret, len(secret))).result(30)
    assert messages.send(user=bob, conversation=rich, text="other", cmid="again").result(30).dup

    assert projected(rich) == before
    assert not rows_with(secret)


def running(conversation: UUID) -> tuple[Any, ...]:
    run = Run.objects.get(conversation=conversation, status=Run.Status.RUNNING)
    return run.id, run.message, run.reply_to, run.assistant, run.fence


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 20), min_size=4, max_size=4))
def test_writers_in_a_race_with_erasing_resurrect_nothing(alice: User, bob: User, delays: list[int]) -> None:
    made = conversations.create(user=alice, members=[{"user": str(bob.id), "role": "editor"}])
    conversation = made.result(30).conversation.id

    def act(number: int) -> None:
        time.sleep(delays[number] / 1000)
        if number == 0:
            erasing.erase(user=alice, conversation=conversation)
        else:
            sent = [
                messages.send(user=bob, conversation=conversation, text="late", cmid=f"{number}-{one}")
                for one in range(5)
            ]
            for future in sent:
                future.exception(30)

    at_once(4, act)

    assert all(frame["data"] == {"erased": True} for frame in frames(conversation))
    assert not Message.objects.filter(conversation=conversation, text__isnull=False).exists()
    check_numbers(conversation)


def test_members_are_told_that_it_is_closed(alice: User, mallory: User, rich: UUID) -> None:
    erasing.erase(user=alice, conversation=rich)
    assert refusal(restoring.restore(user=alice, conversation=rich, to_seq=2)) == "conversation_closed"
    assert refusal(restoring.restore(user=mallory, conversation=rich, to_seq=2)) == "not_found"
    assert refusal(restoring.restore(user=alice, conversation=new_id(), to_seq=2)) == "not_found"
    for user, code in ((alice, "conversation_closed"), (mallory, "not_found")):
        with pytest.raises(Problem) as refused:
            files.upload(user=user, conversation=rich, given=files.Upload(BytesIO(b"late"), 4, "late.txt"))
        assert refused.value.code.name == code


def test_another_process_forgets_the_key_without_redis(alice: User, rich: UUID) -> None:
    other = subprocess.Popen(
        [sys.executable, "-m", "tests.conversations.holding", str(rich)],
        env=environment(REDIS_URL="redis://127.0.0.1:9/0"),
        cwd=project.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout
    assert other.stdout.readline() == "holding\n"

    erasing.erase(user=alice, conversation=rich)
    begun = time.monotonic()

    assert rich not in keys._cache
    assert other.stdout.readline() == "gone\n"
    assert time.monotonic() - begun < 2
    assert other.wait(10) == 0
    other.stdout.close()


def test_the_files_of_postgresql_after_vacuum(alice: User, rich: UUID, secret: str) -> None:
    """Space that was freed keeps its bytes until it is used again; VACUUM FULL writes the rows that are left."""
    wrapped = Conversation.objects.get(id=rich).data_key
    assert in_files(wrapped)
    assert in_files(secret)

    erasing.erase(user=alice, conversation=rich)
    # What a transaction could still see that began before, in any database of the cluster, is left for the next one.
    eventually(lambda: written_anew() and not in_files(wrapped) and not in_files(secret))


TABLES = ("conversations_conversation", "conversations_event", "conversations_message", "conversations_run")


def written_anew() -> bool:
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"VACUUM FULL {table}")
    return True


def in_files(needle: str) -> bool:
    """Whether the files of the tables hold these bytes."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute(
            "SELECT bool_or(position(%s::bytea IN pg_read_binary_file(pg_relation_filepath(name::regclass))) > 0)"
            " FROM unnest(%s::text[]) AS name",
            [needle.encode(), list(TABLES)],
        )
        return bool(cursor.fetchone()[0])
