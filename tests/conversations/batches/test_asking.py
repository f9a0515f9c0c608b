"""Batches from the first question to the last answer, with a real model at the other end."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import quotas, selectors
from conversations.assistants import runner
from conversations.batches import driving, results
from conversations.models import Batch, BatchRow, Conversation
from conversations.services import batches, conversations, erasing, leaving, members, runs
from tests.conversations.batches.working import asked_texts, begin, latest_run, place, queued, rows, statuses, work
from tests.conversations.support import texts
from tests.provider import Provider


def told(batch: Batch) -> list[dict]:
    return list(selectors.answered_rows(batch))


async def test_every_question_is_answered_in_a_conversation_of_its_own(alice: User, provider: Provider) -> None:
    batch = await in_thread(begin, alice, ["say one", "say two", "say three"], title="Numbers")
    done = await work(batch)
    assert (done.status, await in_thread(statuses, batch)) == ("completed", ["done"] * 3)
    found = await in_thread(told, batch)
    assert [(row["question"], row["answer"]) for row in found] == [
        ("say one", "one "), ("say two", "two "), ("say three", "three "),
    ]  # fmt: skip
    assert [row["attempts"] for row in found] == [1, 1, 1]
    assert len({row["conversation"] for row in found}) == 3
    assert asked_texts(provider.requests) == ["say one", "say three", "say two"]
    assert [row.question for row in await in_thread(rows, batch)] == [None] * 3


async def test_all_in_one_conversation_in_order(alice: User, provider: Provider) -> None:
    batch = await in_thread(begin, alice, ["say one", "say two"], per_conversation="one", title="Talk")
    done = await work(batch)
    assert done.conversation_id
    assert await in_thread(texts, done.conversation_id) == ["say one", "say two"]
    second = provider.last.body["messages"]
    assert [line["content"] for line in second if line["role"] != "system"] == ["say one", "one ", "say two"]


async def test_in_a_conversation_that_is_there(alice: User, conversation: UUID, provider: Provider) -> None:
    batch = await in_thread(begin, alice, ["say one"], conversation=conversation)
    assert (await work(batch)).status == "completed"
    assert await in_thread(texts, conversation) == ["say one"]


async def test_one_that_fails_holds_up_none_of_the_others(alice: User, provider: Provider) -> None:
    batch = await in_thread(begin, alice, ["status 401", "say two"])
    await work(batch)
    bad, good = await in_thread(told, batch)
    assert (bad["status"], bad["answer"], bad["error"]["code"]) == ("failed", "", "provider_refused")
    assert (good["status"], good["answer"]) == ("done", "two ")
    counted: Any = await in_thread(selectors.batch_for, alice, batch.id)
    assert (counted.done, counted.failed, counted.status) == (1, 1, "completed")


async def test_an_interrupted_answer_is_asked_for_again_and_counted(alice: User, provider: Provider) -> None:
    batch = await in_thread(begin, alice, ["say one"])
    await in_thread(driving.drive, str(batch.id))
    (row,) = await in_thread(rows, batch)
    claim = await in_thread(runs.claim, conversation=place(row), worker="dead")
    assert claim
    await in_thread(lambda: runs.interrupt(run=latest_run(row), is_dead=lambda run: True).result())
    assert await in_thread(statuses, batch) == ["pending"]
    await work(batch)
    (found,) = await in_thread(told, batch)
    assert (found["status"], found["answer"], found["attempts"]) == ("done", "one ", 2)
    assert await in_thread(texts, place(row)) == ["say one"]


@override_settings(BATCH_ATTEMPTS=1)
def test_it_is_not_asked_for_ever(alice: User) -> None:
    batch = begin(alice, ["say one"], "guide")
    driving.drive(str(batch.id))
    (row,) = rows(batch)
    runs.claim(conversation=place(row), worker="dead")
    runs.interrupt(run=latest_run(row), is_dead=lambda run: True).result()
    assert statuses(batch) == ["failed"]


def test_who_takes_over_asks_nothing_twice(alice: User) -> None:
    """One process has asked and is killed before it can say so; or it was killed before it asked."""
    batch = begin(alice, ["One?", "Two?"], "guide")
    first, *_ = driving._taken(batch.id)
    driving.ask(first)
    assert driving._taken(batch.id) == []
    BatchRow.objects.filter(batch=batch).update(asked_at="2020-01-01T00:00Z")
    driving.drive(str(batch.id))
    driving.ask(first)
    found = rows(batch)
    assert [row.attempts for row in found] == [1, 1]
    assert [texts(place(row)) for row in found] == [["One?"], ["Two?"]]
    assert Conversation.objects.filter(owner=alice).count() == 2


@override_settings(BATCH_PARALLEL=2)
def test_no_more_at_the_same_time_than_may_be(alice: User) -> None:
    batch = begin(alice, ["a", "b", "c", "d"], "guide")
    for _ in range(3):
        driving.drive(str(batch.id))
    assert statuses(batch) == ["running", "running", "pending", "pending"]
    other = begin(alice, ["e"], "guide")
    driving.drive(str(other.id))
    assert statuses(other) == ["running"]


async def test_where_the_quota_is_reached_it_waits(alice: User, provider: Provider) -> None:
    with override_settings(RUNS_PER_USER=1, BATCH_PARALLEL=3):
        quotas._known.clear()
        batch = await in_thread(begin, alice, ["say a", "say b", "say c"])
        await in_thread(driving.drive, str(batch.id))
        assert (await in_thread(statuses, batch)).count("running") == 1
        for _ in range(2):
            for conversation in await in_thread(queued, batch):
                await runner.take_turn(conversation)
            quotas._known.clear()
            await in_thread(driving.drive, str(batch.id))
        assert (await in_thread(statuses, batch)).count("failed") == 0
    quotas._known.clear()
    await work(batch)
    assert await in_thread(statuses, batch) == ["done"] * 3


async def test_stopped_in_the_middle_and_gone_on_with(alice: User, provider: Provider) -> None:
    with override_settings(BATCH_PARALLEL=1):
        batch = await in_thread(begin, alice, ["say a", "say b", "say c"])
        await in_thread(driving.drive, str(batch.id))
        (conversation,) = await in_thread(queued, batch)
        await runner.take_turn(conversation)
        await in_thread(driving.drive, str(batch.id))
        await in_thread(lambda: batches.stop(user=alice, batch=batch.id))
        assert await in_thread(statuses, batch) == ["done", "stopped", "stopped"]
        assert (await work(batch)).status == "stopped"
        assert len(provider.requests) == 1
        again = await in_thread(lambda: batches.resume(user=alice, batch=batch.id))
        assert (await work(again)).status == "completed"
    found = await in_thread(told, batch)
    assert [(row["status"], row["answer"], row["attempts"]) for row in found] == [
        ("done", "a ", 1), ("done", "b ", 2), ("done", "c ", 1),
    ]  # fmt: skip
    with pytest.raises(Problem, match="conflict"):
        await in_thread(lambda: batches.resume(user=alice, batch=batch.id))


def test_what_is_asked_while_it_is_stopped_is_stopped_too(alice: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    (row,) = driving._taken(batch.id)
    batches.stop(user=alice, batch=batch.id)
    driving.ask(row)
    assert statuses(batch) == ["stopped"]


def test_a_stop_that_was_killed_is_finished_by_mending(alice: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    driving.drive(str(batch.id))
    Batch.objects.filter(id=batch.id).update(status="stopped")
    batches.mend()
    assert statuses(batch) == ["stopped"]


def test_a_conversation_in_which_nothing_may_be_said(alice: User, conversation: UUID) -> None:
    batch = begin(alice, ["One?", "Two?"], "guide", conversation=conversation)
    conversations.update(user=alice, conversation=conversation, changes={"status": "closed"}).result()
    driving.drive(str(batch.id))
    assert statuses(batch) == ["failed", "failed"]
    assert [row["error"]["code"] for row in told(batch)] == ["conversation_closed"] * 2
    assert Batch.objects.get(id=batch.id).status == "completed"


def test_erasing_a_conversation_empties_its_rows(alice: User, conversation: UUID) -> None:
    batch = begin(alice, ["One tulip?", "Two tulips?"], "guide", conversation=conversation)
    driving.drive(str(batch.id))
    erasing.erase(user=alice, conversation=conversation)
    assert statuses(batch) == ["stopped", "stopped"]
    assert [row.question for row in rows(batch)] == [None, None]
    written = b"".join(piece for form in ("jsonl", "csv", "md") for piece in results.FORMS[form].write(counted(batch)))
    assert b"tulip" not in written


def test_who_was_removed_reads_nothing_more(alice: User, bob: User, conversation: UUID) -> None:
    batch = begin(bob, ["One tulip?"], "guide", conversation=conversation)
    driving.drive(str(batch.id))
    assert told(batch)[0]["question"] == "One tulip?"
    members.remove(actor=alice, conversation=conversation, user=bob.id).result()
    assert told(batch)[0]["question"] == ""


def test_nothing_is_stored_in_clear(alice: User) -> None:
    batch = begin(alice, ["Tulip?"], "guide", title="Tulips")
    stored = json.dumps([*Batch.objects.filter(id=batch.id).values(), *batch.rows.values()], default=str)
    assert "ulip" not in stored


def test_numbers_of_cards_are_not_kept(alice: User) -> None:
    batch = begin(alice, ["Is 4111 1111 1111 1111 a card?"], "guide")
    assert "4111" not in told(batch)[0]["question"]


def counted(batch: Batch) -> Batch:
    return Batch.objects.counted().get(id=batch.id)


def test_nothing_is_asked_for_who_may_not_log_in_any_more(alice: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    User.objects.filter(id=alice.id).update(is_active=False)
    driving.drive(str(batch.id))
    assert (Batch.objects.get(id=batch.id).status, statuses(batch)) == ("stopped", ["stopped"])


def test_who_closes_their_account_leaves_none(alice: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    driving.drive(str(batch.id))
    leaving.leave_all(user=str(alice.id))
    assert not Batch.objects.filter(user=alice).exists()
