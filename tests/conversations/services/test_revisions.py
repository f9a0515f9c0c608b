"""The verbs edit, delete and pin."""

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from conversations import selectors, wire
from conversations.models import Conversation, Message, Run
from conversations.services import conversations, feedback, members, revisions, runs
from conversations.services.revisions import Precondition
from tests.conversations.support import answer, at_once, frames, refusal, replayed, say


@pytest.fixture
def said(alice: User, conversation: UUID) -> UUID:
    """What Alice said in her conversation; its seq is 3."""
    return say(alice, conversation, "Hello")


@pytest.fixture
def asked(alice: User, bob: User) -> UUID:
    """Alice's conversation with the guide, whose first answer is there; Bob is an editor."""
    made = conversations.create(user=alice, assistant="guide", message="Hello", members=[{"user": bob.username}])
    answer(made.result(30).conversation.id, "Answer")
    return made.result().conversation.id


def text(message: UUID) -> str:
    return wire.message_text(Message.objects.get(id=message))


def unread(user: User, conversation: UUID) -> int:
    return int(selectors.wire_conversation(selectors.shown_conversation(user, conversation))["unread"])


def types(conversation: UUID) -> list[str]:
    return [frame["type"] for frame in frames(conversation)]


def role(user: User, conversation: UUID, role: str) -> None:
    owner = Conversation.objects.get(id=conversation).owner
    members.change(actor=owner, conversation=conversation, user=user.id, role=role).result(30)


def test_an_edit_keeps_the_old_text_in_the_log(alice: User, conversation: UUID, said: UUID) -> None:
    first = revisions.edit(user=alice, conversation=conversation, message=said, text="Hello there").result(30)
    second = revisions.edit(user=alice, conversation=conversation, message=said, text="Hello you").result(30)

    data = {"message": str(said), "text": "Hello there", "base_seq": 3}
    assert first.main["data"].items() > data.items()
    assert second.main["data"]["base_seq"] == 4
    assert text(said) == "Hello you"
    shown = selectors.message(conversation, said)
    assert [(one["seq"], one["selected"]) for one in shown["versions"]] == [(3, False), (4, False), (5, True)]
    assert (shown["seq"], shown["changed_seq"], shown["edited_at"]) == (3, 5, second.main["at"])
    assert [one["text"] for one in selectors.versions(conversation, said)] == ["Hello", "Hello there", "Hello you"]
    replayed(conversation)


def test_the_same_text_again_writes_nothing(alice: User, conversation: UUID, said: UUID) -> None:
    done = revisions.edit(user=alice, conversation=conversation, message=said, text="Hello").result(30)

    assert (done.dup, done.frames, types(conversation)[-1]) == (True, (), "message:new")


@pytest.mark.parametrize("precondition", [Precondition(version=3), Precondition(base_seq=3), Precondition(base_seq=99)])
def test_a_stale_edit_is_refused(alice: User, conversation: UUID, said: UUID, precondition: Precondition) -> None:
    revisions.edit(user=alice, conversation=conversation, message=said, text="First").result(30)

    late = revisions.edit(user=alice, conversation=conversation, message=said, text="Second", precondition=precondition)

    assert refusal(late) == "stale"
    assert late.exception().extra == {"version": 4}  # type: ignore[union-attr]
    assert text(said) == "First"


def test_whoever_has_seen_the_newest_may_edit(alice: User, conversation: UUID, said: UUID) -> None:
    say(alice, conversation, "And?")
    for n, precondition in enumerate((Precondition(3), Precondition(base_seq=5))):
        done = revisions.edit(
            user=alice, conversation=conversation, message=said, text=f"Edit {n}", precondition=precondition
        )
        assert done.result(30).frames


def test_of_two_edits_at_once_one_is_stale(alice: User, conversation: UUID, said: UUID) -> None:
    outcomes = at_once(
        8,
        lambda n: revisions.edit(
            user=alice, conversation=conversation, message=said, text=f"{n}", precondition=Precondition(version=3)
        ).exception(30),
    )

    assert sum(outcome is None for outcome in outcomes) == 1
    replayed(conversation)


def test_only_its_author_edits_a_message(alice: User, bob: User, mallory: User, asked: UUID) -> None:
    question, reply = Message.objects.filter(conversation=asked).order_by("seq")

    for user, message, code in (
        (bob, question, "forbidden"),
        (mallory, question, "not_found"),
        (alice, reply, "forbidden"),
    ):
        assert refusal(revisions.edit(user=user, conversation=asked, message=message.id, text="x")) == code
    assert refusal(revisions.edit(user=alice, conversation=asked, message=uuid4(), text="x")) == "not_found"
    said = say(bob, asked, "Mine")
    role(bob, asked, "viewer")
    assert refusal(revisions.edit(user=bob, conversation=asked, message=said, text="x")) == "forbidden"


def test_a_closed_conversation_takes_no_edit(alice: User, conversation: UUID, said: UUID) -> None:
    conversations.update(user=alice, conversation=conversation, changes={"status": "closed"}).result(30)

    refused = revisions.edit(user=alice, conversation=conversation, message=said, text="x")
    assert refusal(refused) == "conversation_closed"
    assert revisions.delete(user=alice, conversation=conversation, message=said).result(30).frames


def test_what_is_deleted_is_shown_to_nobody(alice: User, bob: User, conversation: UUID, said: UUID) -> None:
    say(alice, conversation, "Stays")
    assert unread(bob, conversation) == 2

    revisions.delete(user=alice, conversation=conversation, message=said).result(30)

    gone = selectors.message(conversation, said)
    assert (gone["status"], gone["text"], gone["html"]) == ("deleted", "", "")
    assert selectors.versions(conversation, said) == []
    assert unread(bob, conversation) == 1
    assert [one.author_name for one in Message.objects.visible().filter(conversation=conversation)] == ["Alice"]
    assert frames(conversation)[2]["data"]["text"] == "Hello"
    replayed(conversation)


def test_deleting_twice_is_deleting_once(alice: User, conversation: UUID, said: UUID) -> None:
    for _ in range(2):
        revisions.delete(user=alice, conversation=conversation, message=said).result(30)

    assert types(conversation).count("message:delete") == 1
    for late in (
        revisions.edit(user=alice, conversation=conversation, message=said, text="x"),
        revisions.pin(user=alice, conversation=conversation, message=said, on=True),
        feedback.give(user=alice, conversation=conversation, message=said, changes={"rating": "up"}),
    ):
        assert refusal(late) == "conflict"


def test_who_may_delete_what(alice: User, bob: User, mallory: User, asked: UUID) -> None:
    question, reply = Message.objects.filter(conversation=asked).order_by("seq")

    def delete(user: User, message: UUID) -> str | None:
        done = revisions.delete(user=user, conversation=asked, message=message)
        return refusal(done) if done.exception(30) else None

    assert delete(mallory, question.id) == "not_found"
    assert delete(bob, question.id) == "forbidden"
    role(bob, asked, "agent")
    assert delete(bob, reply.id) == "forbidden"
    role(bob, asked, "editor")
    assert delete(bob, reply.id) is None
    assert delete(alice, say(bob, asked, "Bob's")) is None
    assert delete(alice, question.id) is None


def test_an_answer_in_progress_cannot_be_deleted(alice: User, asked: UUID) -> None:
    say(alice, asked, "And?")
    claim = runs.claim(conversation=asked, worker="test")
    assert claim

    assert refusal(revisions.delete(user=alice, conversation=asked, message=claim.message)) == "conflict"


def test_a_deleted_question_takes_its_queued_answer_back(alice: User, asked: UUID) -> None:
    question = say(alice, asked, "Never mind")

    done = revisions.delete(user=alice, conversation=asked, message=question).result(30)

    assert [frame["type"] for frame in done.frames] == ["message:delete", "run:end"]
    assert Run.objects.get(reply_to=question).status == "stopped"
    assert runs.claim(conversation=asked, worker="test") is None
    replayed(asked)


def test_pinning(alice: User, bob: User, conversation: UUID, said: UUID) -> None:
    for on in (True, True, False):
        revisions.pin(user=bob, conversation=conversation, message=said, on=on).result(30)

    assert types(conversation)[3:] == ["message:pin"] * 2
    assert not Message.objects.get(id=said).pinned
    role(bob, conversation, "viewer")
    assert refusal(revisions.pin(user=bob, conversation=conversation, message=said, on=True)) == "forbidden"
    replayed(conversation)
