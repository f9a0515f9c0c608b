"""Verbs on runs: claim, step, end, stop, interrupt."""

from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from conversations import eventlog, wire
from conversations.actors import SYSTEM
from conversations.appends import Append, Decision, State
from conversations.assistants import chunks
from conversations.models import Conversation, Message, Run, RunChunk
from conversations.services import conversations, messages, runs
from tests.conversations.support import at_once, check_numbers, frames, locked, refusal, replayed


@pytest.fixture
def asked(alice: User, bob: User) -> UUID:
    """A conversation in which Alice waits for the guide; Bob may watch."""
    made = conversations.create(
        user=alice, assistant="guide", message="Hello", members=[{"user": str(bob.id), "role": "viewer"}]
    )
    return made.result(30).conversation.id


def claimed(conversation: UUID) -> runs.Claim:
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    return claim


def write(claim: runs.Claim, *pieces: str) -> None:
    stored = 0
    for piece in pieces:
        stored = chunks.store(chunks.Piece(claim, piece, stored)).result(30)


def test_a_decision_finds_what_the_one_before_it_changed(alice: User, asked: UUID) -> None:
    claim, found = claimed(asked), list[str]()

    def look(state: State) -> Decision:
        found.extend(step["step"] for step in Run.objects.get(id=claim.run).steps)
        return Decision([])

    with locked(asked):  # what is submitted behind the first message is one group
        messages.send(user=alice, conversation=asked, text="And?", cmid="first")
        runs.step(claim=claim, data={"step": "s1", "kind": "tool", "name": "look", "status": "running"})
        looked = eventlog.submit(Append(asked, SYSTEM, "look", look))
    looked.result(30)
    assert found == ["s1"]


def test_a_turn_from_beginning_to_end(asked: UUID) -> None:
    claim = claimed(asked)
    replayed(asked)
    first = {"step": "s1", "kind": "tool", "name": "look", "status": "running", "input": {"q": "cursor"}}
    runs.step(claim=claim, data=first).result(30)
    replayed(asked)
    done = {**first, "status": "completed", "output": ["docs"], "sources": [{"title": "Cursors"}]}
    runs.step(claim=claim, data=done).result(30)
    write(claim, "A cur", "sor is …")
    replayed(asked)
    usage = {"input_tokens": 3, "output_tokens": 4}
    ended = runs.end(claim=claim, status="completed", text="A cursor is …", usage=usage, sources=[{"t": 1}]).result(30)
    replayed(asked)

    assert ended.main["data"] == {
        "run": str(claim.run), "message": str(claim.message), "status": "completed",
        "text": "A cursor is …", "usage": usage, "sources": [{"t": 1}], "tokens": {"o200k_base": 4},
    }  # fmt: skip
    run = wire.run(Run.objects.get(id=claim.run))
    assert (run["status"], run["usage"], run["steps"]) == (
        "completed", usage, [{**done, "tokens": {"o200k_base": 8}}],
    )  # fmt: skip
    message = Message.objects.get(id=claim.message)
    assert (message.status, wire.message_text(message)) == ("complete", "A cursor is …")
    assert not RunChunk.objects.filter(run=claim.run).exists()
    assert Conversation.objects.get(id=asked).active_run is None


def test_one_of_many_workers_gets_the_run(asked: UUID) -> None:
    claims = at_once(10, lambda n: runs.claim(conversation=asked, worker=str(n)))

    assert sum(claim is not None for claim in claims) == 1
    assert [frame["type"] for frame in frames(asked)].count("run:start") == 1


def test_one_turn_at_a_time_in_the_order_of_asking(alice: User, asked: UUID) -> None:
    second = messages.send(user=alice, conversation=asked, text="And?", cmid="2").result(30)
    first = claimed(asked)
    assert runs.claim(conversation=asked, worker="other") is None

    runs.end(claim=first, status="completed", text="So.").result(30)

    assert str(claimed(asked).run) == second.main["data"]["run"]
    assert runs.claim(conversation=asked, worker="other") is None
    replayed(asked)


def test_a_stopped_run_keeps_what_is_stored(alice: User, asked: UUID) -> None:
    claim = claimed(asked)
    write(claim, "A cur", "sor")

    stopped = runs.stop(user=alice, run=Run.objects.get(id=claim.run)).result(30)

    assert (stopped.main["data"]["text"], stopped.main["data"]["status"]) == ("A cursor", "stopped")
    assert refusal(runs.end(claim=claim, status="completed", text="A cursor is …")) == "run_not_active"
    assert refusal(runs.step(claim=claim, data={"step": "s", "kind": "tool", "name": "n", "status": "running"})) == (
        "run_not_active"
    )
    late = chunks.store(chunks.Piece(claim, " is …", 8))
    assert refusal(late) == "run_not_active"  # type: ignore[arg-type]
    replayed(asked)


def test_a_queued_run_can_be_stopped(alice: User, asked: UUID) -> None:
    run = Run.objects.get(conversation=asked)

    stopped = runs.stop(user=alice, run=run).result(30)

    assert stopped.main["data"]["message"] is None
    assert runs.claim(conversation=asked, worker="late") is None
    replayed(asked)


def test_stopping_twice(alice: User, bob: User, asked: UUID) -> None:
    run = Run.objects.get(conversation=asked)
    first = runs.stop(user=alice, run=run).result(30)

    assert runs.stop(user=alice, run=run).result(30).main == first.main
    assert refusal(runs.stop(user=bob, run=run)) == "forbidden"
    assert check_numbers(asked) == first.main["seq"]


def test_stop_against_end(alice: User, asked: UUID) -> None:
    """The worker ends while Alice stops: one of them does it, the other is told so."""
    claim = claimed(asked)
    run = Run.objects.get(id=claim.run)

    def act(number: int) -> Any:
        return (
            runs.stop(user=alice, run=run) if number else runs.end(claim=claim, status="completed", text="x")
        ).exception(30)

    assert sum(error is None for error in at_once(2, act)) == 1
    assert [frame["type"] for frame in frames(asked)].count("run:end") == 1
    replayed(asked)


def test_who_may_stop(mallory: User, bob: User, asked: UUID) -> None:
    run = Run.objects.get(conversation=asked)
    assert refusal(runs.stop(user=mallory, run=run)) == "not_found"
    assert refusal(runs.stop(user=bob, run=run)) == "forbidden"


def test_a_dead_workers_run_is_interrupted_once(asked: UUID) -> None:
    claim = claimed(asked)
    write(claim, "Half an ans")
    run = Run.objects.get(id=claim.run)

    assert refusal(runs.interrupt(run=run, is_dead=lambda run: False)) == "run_not_active"
    ended = runs.interrupt(run=run, is_dead=lambda run: True).result(30)

    assert (ended.main["data"]["status"], ended.main["data"]["text"]) == ("interrupted", "Half an ans")
    assert ended.main["data"]["error"]["code"] == "worker_lost"
    assert ended.main["actor"]["kind"] == "system"
    replayed(asked)


@pytest.mark.parametrize("status", ["failed", "interrupted", "stopped"])
def test_other_ends(asked: UUID, status: str) -> None:
    claim = claimed(asked)
    error = {"code": "provider_error", "message": "It broke."}

    runs.end(claim=claim, status=status, text="Ha", error=error).result(30)

    run = wire.run(Run.objects.get(id=claim.run))
    assert (run["status"], run["error"]) == (status, error)
    assert Message.objects.get(id=claim.message).status == status
    replayed(asked)


def test_an_answer_without_a_word(asked: UUID) -> None:
    claim = claimed(asked)
    runs.end(claim=claim, status="completed", text="").result(30)
    assert wire.message_text(Message.objects.get(id=claim.message)) == ""
    replayed(asked)
