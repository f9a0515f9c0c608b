"""What becomes of conversations by themselves, and that nothing is erased unless somebody asked for it."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import F
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from pytest_django import Settings

from accounts.models import User
from conversations import periodic, queue
from conversations.models import Conversation
from conversations.services import conversations, lifecycle, messages
from tests.api import Api
from tests.conversations.support import check_numbers, frames, locked, refusal, replayed


def aged(conversation: UUID, **days: int) -> None:
    """Make times of a conversation lie so many days further back."""
    moved = {name: F(name) - timedelta(days=count) for name, count in days.items()}
    Conversation.objects.filter(id=conversation).update(**moved)


def status(conversation: UUID) -> tuple[str, bool]:
    row = Conversation.objects.get(id=conversation)
    return row.status, row.erased


def test_an_idle_conversation_is_archived(alice: User, conversation: UUID) -> None:
    busy = conversations.create(user=alice).result(30).conversation.id
    aged(conversation, updated_at=8)
    aged(busy, updated_at=6)

    lifecycle.live()
    lifecycle.live()

    assert (status(conversation), status(busy)) == (("archived", False), ("open", False))
    last = frames(conversation)[-1]
    assert (last["type"], last["data"], last["actor"]["kind"]) == (
        "conversation:update",
        {"status": "archived"},
        "system",
    )
    assert check_numbers(conversation) == 3
    replayed(conversation)
    assert refusal(messages.send(user=alice, conversation=conversation, text="Hi", cmid="c")) == "conversation_closed"


def test_opened_again_it_begins_anew(alice: User, conversation: UUID, settings: Settings) -> None:
    settings.RETENTION_DAYS = 30
    aged(conversation, updated_at=8)
    lifecycle.live()
    aged(conversation, archived_at=31, updated_at=31)
    conversations.update(user=alice, conversation=conversation, changes={"status": "open"}).result(30)

    lifecycle.live()

    assert status(conversation) == ("open", False)


def test_a_running_answer_is_not_archived(alice: User) -> None:
    conversation = conversations.create(user=alice, assistant="guide", message="Hi").result(30).conversation.id
    Conversation.objects.filter(id=conversation).update(active_run=conversation)
    aged(conversation, updated_at=8)
    lifecycle.archive_idle()
    assert status(conversation) == ("open", False)


def test_who_writes_at_the_last_moment_is_not_archived(alice: User, conversation: UUID) -> None:
    aged(conversation, updated_at=8)
    row = Conversation.objects.get(id=conversation)
    messages.send(user=alice, conversation=conversation, text="Hi", cmid="c").result(30)

    assert refusal(lifecycle._archive(row)) == "conflict"


@pytest.mark.parametrize(("retention", "is_erased"), [(0, False), (30, True), (32, False)])
def test_retention(alice: User, conversation: UUID, settings: Settings, retention: int, is_erased: bool) -> None:
    """Nothing is erased unless retention is switched on."""
    settings.RETENTION_DAYS = retention
    conversations.archive(user=alice, conversation=conversation).result(30)
    aged(conversation, archived_at=31, updated_at=31)

    lifecycle.live()

    assert status(conversation) == ("archived", is_erased)


def test_off_by_default(settings: Settings) -> None:
    assert settings.RETENTION_DAYS == 0
    assert settings.ARCHIVE_AFTER_DAYS == 7


def test_never_archived_where_that_is_switched_off(conversation: UUID, settings: Settings) -> None:
    settings.ARCHIVE_AFTER_DAYS = 0
    aged(conversation, updated_at=1000)
    lifecycle.live()
    assert status(conversation) == ("open", False)


def test_a_temporary_conversation_is_erased_when_its_time_is_over(as_alice: Api) -> None:
    made = as_alice.post("conversations/", {"temporary": True, "message": "Hi"}).json
    id_ = UUID(made["id"])
    assert made["expires_at"] > made["created_at"]
    assert as_alice.post("conversations/", {"temporary": "perhaps"}).code == "invalid"
    assert as_alice.post("conversations/", {"temporary": False}).json["expires_at"] is None
    replayed(id_)
    lifecycle.live()
    assert status(id_) == ("open", False)

    aged(id_, expires_at=2)
    lifecycle.live()

    assert status(id_) == ("archived", True)
    assert as_alice.get(f"conversations/{id_}/").json["erased"]
    assert made["id"] not in [row["id"] for row in as_alice.get("conversations/").json["results"]]


def test_the_same_request_again_makes_one(as_alice: Api) -> None:
    answers = [as_alice.post("conversations/", {"temporary": True}, Idempotency_Key="k").json for _ in range(2)]
    assert answers[0]["id"] == answers[1]["id"]


def test_one_that_is_locked_does_not_keep_the_others(alice: User, settings: Settings) -> None:
    ids = [conversations.create(user=alice, temporary=True).result(30).conversation.id for _ in range(3)]
    Conversation.objects.filter(id__in=ids).update(expires_at=Now())

    with locked(ids[0]):
        lifecycle.live()
    assert [status(id_)[1] for id_ in ids] == [False, True, True]

    lifecycle.live()
    assert status(ids[0])[1]


def test_a_pass_is_bounded_and_the_next_goes_on(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle.live()
    monkeypatch.setattr(lifecycle, "MOST", 2)
    ids = [conversations.create(user=alice, temporary=True).result(30).conversation.id for _ in range(3)]
    Conversation.objects.filter(id__in=ids).update(expires_at=Now())

    lifecycle.live()
    assert sorted(status(id_)[1] for id_ in ids) == [False, True, True]
    lifecycle.live()
    assert all(status(id_)[1] for id_ in ids)


def test_it_comes_by_itself() -> None:
    assert periodic.JOBS[queue.LIFECYCLE] == "LIFECYCLE_SECONDS"
    assert queue.LIFECYCLE in app.tasks
