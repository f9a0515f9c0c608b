"""The newest page kept ready: quick, never stale, and no worse without Redis."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import redis
from django.conf import settings as project
from pytest_django import Settings

from accounts.models import User
from chatproject.lib import metrics, pausing, volatile
from chatproject.lib.ids import new_id
from conversations import selectors, windows
from conversations.integrity import repairing
from conversations.models import Conversation, Message
from conversations.services import conversations, erasing, feedback, messages, revisions
from tests.conversations.assistants.support import asked
from tests.conversations.support import at_once
from tests.redis import Redis

Json = dict[str, Any]


def page(conversation: UUID, limit: int = 51, reader: User | None = None) -> list[Json]:
    return selectors.messages(conversation, before_seq=None, after_seq=None, limit=limit, reader=reader)


def say(user: User, conversation: UUID, text: str = "Hello") -> Json:
    return messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result(30).main


def places(read: Callable[[], object]) -> dict[str, float]:
    """Where pages came from while `read` did."""

    def counts() -> dict[str, float]:
        return {name: metrics.windows.labels(name)._value.get() for name in ("memory", "redis", "miss")}

    before = counts()
    read()
    return {name: count - before[name] for name, count in counts().items() if count > before[name]}


@pytest.fixture
def other_redis(settings: Settings) -> Iterator[Redis]:
    """A Redis of this test's own for what is kept."""
    with Redis() as server:
        settings.REDIS_URL = server.url
        volatile.volatile.cache_clear()
        yield server
    volatile.volatile.cache_clear()


def test_from_memory_from_redis_and_the_same(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "persimmon")
    assert places(lambda: page(conversation)) == {"miss": 1}
    fresh = selectors.messages(conversation, before_seq=None, after_seq=0, limit=51)
    assert places(lambda: page(conversation)) == {"memory": 1}
    assert page(conversation) == fresh
    windows._memory.drop(conversation)
    assert places(lambda: page(conversation)) == {"redis": 1}
    assert page(conversation) == fresh
    assert page(conversation, limit=1) == fresh[-1:]
    stored = redis.Redis.from_url(project.REDIS_URL).get(windows._name(conversation))
    assert isinstance(stored, bytes)
    assert b"persimmon" not in stored


def test_more_than_a_window_is_read_anew(alice: User, conversation: UUID) -> None:
    for _ in range(3):
        say(alice, conversation)
    page(conversation, limit=2)
    assert places(lambda: page(conversation, limit=3)) == {"miss": 1}
    assert places(lambda: page(conversation, limit=2)) == {"memory": 1}
    assert places(lambda: page(conversation, limit=project.HOT_WINDOW_MESSAGES + 1)) == {}


def test_every_change_is_seen(alice: User, bob: User, conversation: UUID) -> None:
    first = say(alice, conversation)
    id_ = UUID(first["data"]["message"])
    page(conversation)
    revisions.edit(user=alice, conversation=conversation, message=id_, text="Edited").result(30)
    assert page(conversation)[0]["text"] == "Edited"
    feedback.give(user=bob, conversation=conversation, message=id_, changes={"rating": "up"}).result(30)
    assert [page(conversation, reader=who)[0]["feedback"]["rating"] for who in (bob, alice)] == ["up", None]
    revisions.delete(user=alice, conversation=conversation, message=id_).result(30)
    assert page(conversation)[0]["status"] == "deleted"


def test_a_repair_is_seen_too(alice: User, conversation: UUID) -> None:
    """It changes rows without an event."""
    say(alice, conversation)
    Message.objects.filter(conversation=conversation).update(status="hidden")
    assert page(conversation) == []
    repairing.rebuild(conversation)
    assert len(page(conversation)) == 1


def test_while_an_answer_runs_nothing_is_kept(alice: User) -> None:
    conversation, _ = asked(alice)
    assert places(lambda: page(conversation)) == {}


def test_nobody_ever_sees_less_than_was_acknowledged(alice: User, conversation: UUID) -> None:
    over = threading.Event()
    acknowledged = [0]

    def write(number: int) -> None:
        for _ in range(15):
            acknowledged[0] = max(acknowledged[0], say(alice, conversation, f"{number}")["seq"])

    def read(number: int) -> None:
        while not over.is_set():
            if number % 2:
                windows._memory.drop(conversation)
            known = acknowledged[0]
            found = page(conversation)
            assert max([one["seq"] for one in found], default=0) >= known
            assert [one["seq"] for one in found] == sorted({one["seq"] for one in found})

    def act(number: int) -> None:
        if number < 3:
            return read(number)
        write(number)
        return None

    timer = threading.Timer(2, over.set)
    timer.start()
    at_once(6, act)
    timer.join()
    assert len(page(conversation)) == 45


def test_without_redis_it_is_read_all_the_same(alice: User, conversation: UUID, other_redis: Redis) -> None:
    say(alice, conversation)
    page(conversation)
    windows._memory.drop(conversation)
    other_redis.client().flushall()
    assert places(lambda: page(conversation)) == {"miss": 1}
    other_redis.stop()
    windows._memory.drop(conversation)
    assert places(lambda: page(conversation)) == {"miss": 1}
    assert len(page(conversation)) == 1
    other_redis.start()


def test_a_redis_that_hangs_costs_a_moment_once(alice: User, conversation: UUID, other_redis: Redis) -> None:
    say(alice, conversation)
    page(conversation)
    other_redis.hang()
    taken = []
    for _ in range(10):
        windows._memory.drop(conversation)
        begun = time.monotonic()
        assert len(page(conversation)) == 1
        taken.append(time.monotonic() - begun)
    other_redis.go_on()
    assert sum(one > 0.2 for one in taken) == 1
    assert max(taken) < 2


def test_it_is_used_again_after_a_pause(
    alice: User, conversation: UUID, other_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "PAUSE_SECONDS", 0.0)
    say(alice, conversation)
    other_redis.stop()
    page(conversation)
    other_redis.start()
    windows._memory.drop(conversation)
    page(conversation)
    windows._memory.drop(conversation)
    assert places(lambda: page(conversation)) == {"redis": 1}


def test_what_redis_was_given_by_somebody_else_is_no_page(alice: User, conversation: UUID, other_redis: Redis) -> None:
    say(alice, conversation)
    page(conversation)
    for nonsense in (b"", b"x", b"x" * 1000):
        windows._memory.drop(conversation)
        other_redis.client().set(windows._name(conversation), nonsense)
        assert places(lambda: page(conversation)) == {"miss": 1}


def test_times_to_live(alice: User, conversation: UUID, other_redis: Redis, settings: Settings) -> None:
    say(alice, conversation)
    page(conversation)
    client, name = other_redis.client(), windows._name(conversation)
    assert 1790 < int(client.ttl(name)) <= 1800
    client.expire(name, 10)
    windows._memory.drop(conversation)
    page(conversation)
    assert int(client.ttl(name)) > 1790  # read, so it lives on
    settings.HOT_WINDOW_MAX_SECONDS = 60
    windows._memory.drop(conversation)
    page(conversation)
    assert int(client.ttl(name)) <= 60  # but not for ever
    settings.HOT_WINDOW_MAX_SECONDS = 1
    time.sleep(1.1)
    assert places(lambda: page(conversation)) == {"miss": 1}
    conversations.archive(user=alice, conversation=conversation).result(30)
    page(conversation)
    assert int(client.ttl(name)) > 6 * 24 * 3600


def test_every_key_in_redis_has_a_time_to_live(alice: User, conversation: UUID) -> None:
    say(alice, conversation)
    page(conversation)
    client = redis.Redis.from_url(project.REDIS_URL)
    names = list(client.scan_iter())
    assert names
    assert [name for name in names if client.ttl(name) == -1] == []


def test_erasing_takes_it_along(alice: User, conversation: UUID) -> None:
    say(alice, conversation, "persimmon")
    page(conversation)
    client, name = redis.Redis.from_url(project.REDIS_URL), windows._name(conversation)
    copy = client.get(name)
    assert isinstance(copy, bytes)
    assert windows._memory.get(conversation)
    erasing.erase(user=alice, conversation=conversation)
    assert windows._memory.get(conversation) is None
    assert client.get(name) is None
    client.set(name, copy, ex=60)  # as if Redis had been away
    assert windows._from_redis(conversation) is None
    assert page(conversation)[0]["text"] == ""


def test_memory_is_bounded(alice: User, settings: Settings) -> None:
    settings.HOT_WINDOW_BYTES = 4096
    ids = [conversations.create(user=alice, message="Hi").result(30).conversation.id for _ in range(12)]
    for id_ in ids:
        page(id_)
    assert windows._memory._size <= 4096
    assert windows._memory._size == sum(len(one.body) for one in windows._memory._windows.values())
    assert ids[-1] in windows._memory._windows


def test_it_can_be_switched_off(alice: User, conversation: UUID, settings: Settings) -> None:
    settings.HOT_WINDOW_SECONDS = 0
    say(alice, conversation)
    assert places(lambda: page(conversation)) == {}
    assert Conversation.objects.filter(id=conversation).exists()
