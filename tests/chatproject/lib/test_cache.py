"""Django's cache, as two processes have it."""

from collections.abc import Iterator

import pytest

from chatproject.lib import cache, volatile
from chatproject.lib.cache import SharedCache
from chatproject.lib.ids import new_id
from chatproject.lib.volatile import Volatile
from tests.conversations.support import at_once
from tests.redis import Redis


def process() -> SharedCache:
    """A process's own memory."""
    return SharedCache(new_id().hex, {})


def test_what_is_added_is_added_once_in_all_processes() -> None:
    key, processes = new_id().hex, [process() for _ in range(8)]
    assert sorted(at_once(8, lambda n: processes[n].add(key, "x", 30))) == [False] * 7 + [True]
    assert not any(one.add(key, "y", 30) for one in processes)


def test_what_is_deleted_can_be_added_again_by_anybody() -> None:
    """As a lock is: taken, given back, taken by another process."""
    key, here, there = new_id().hex, process(), process()
    for _ in range(3):
        assert here.add(key, "x", 30)
        assert not there.add(key, "x", 30)
        here.delete(key)
        assert there.add(key, "x", 30)
        there.delete(key)


def test_everything_else_is_the_processs_own() -> None:
    key, here, there = new_id().hex, process(), process()
    here.set(key, [1, 2])
    assert (here.get(key), there.get(key)) == ([1, 2], None)


def test_what_is_remembered_in_redis_is_not_for_ever() -> None:
    key, here = new_id().hex, process()
    assert here.add(key, "x", None)
    client = volatile.volatile()._client
    assert 0 < int(client.ttl(f"once:{here.make_key(key)}")) <= cache.LONGEST_SECONDS


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    with Redis() as redis:
        own = Volatile(redis.url, 0.5)
        monkeypatch.setattr(cache, "volatile", lambda: own)
        yield redis


def test_without_redis_each_process_is_on_its_own(redis: Redis) -> None:
    redis.stop()
    key, here, there = new_id().hex, process(), process()
    assert [here.add(key, "x", 30), here.add(key, "x", 30), there.add(key, "x", 30)] == [True, False, True]
    here.delete(key)
    assert here.add(key, "x", 30)
