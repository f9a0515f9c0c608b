"""Counting how often: here, over processes, and without Redis."""

import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as project
from pytest_django import Settings

from chatproject.lib import metrics
from chatproject.lib.ids import new_id
from chatproject.lib.limits import LIMITS, Limit, RateLimited, settling, take
from chatproject.lib.limits.shared import shared
from chatproject.lib.limits.windows import Window, Windows
from tests.redis import Redis
from tests.serving import eventually


@pytest.fixture
def somebody() -> str:
    return new_id().hex


@pytest.fixture
def other_redis(settings: Settings) -> Iterator[Redis]:
    """A Redis of this test's own for limits."""
    with Redis() as server:
        settings.REDIS_URL = server.url
        shared.cache_clear()
        yield server
    shared.cache_clear()


def another_process(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """From here on `take` is asked in a process that has seen nobody yet."""
    known = LIMITS[name]
    monkeypatch.setitem(LIMITS, name, Limit(name, known.setting, known.seconds, exact=known.exact))


def admitted(name: str, key: str, times: int) -> int:
    """How many of so many are let through."""
    return sum(not is_refused(name, key) for _ in range(times))


def is_refused(name: str, key: str) -> bool:
    try:
        take(name, key)
    except RateLimited:
        return True
    return False


def test_the_window_moves() -> None:
    window = Window()
    assert [window.take(now, 2, 60) for now in (0, 10, 20, 59)] == [0, 0, 40, 1]
    assert window.take(60, 2, 60) == 0
    assert window.take(61, 2, 60) == 9
    assert window.take(70, 2, 60) == 0


def test_a_limit_that_is_lowered_counts_at_once() -> None:
    window = Window()
    assert [window.take(now, 3, 60) for now in (0, 10, 20)] == [0, 0, 0]
    assert window.take(30, 1, 60) == 50


def test_who_has_not_come_for_long_is_forgotten() -> None:
    windows = Windows(60)
    first = windows.of("alice", 0)
    assert windows.of("alice", 59) is first
    assert windows.of("alice", 61) is first
    windows.of("bob", 122)
    assert windows.of("alice", 183) is not first
    assert len(windows) == 2


def test_standing_and_refusal(somebody: str, settings: Settings) -> None:
    settings.LIMIT_SEND = 3
    standings = [take("send", somebody) for _ in range(3)]
    assert [one and one.left for one in standings] == [2, 1, 0]
    before = metrics.rate_limited.labels("send")._value.get()
    with pytest.raises(RateLimited) as refused:
        take("send", somebody)
    assert 59_000 < (refused.value.retry_after_ms or 0) <= 60_000
    assert refused.value.standing.left == 0
    assert metrics.rate_limited.labels("send")._value.get() == before + 1
    assert not is_refused("send", new_id().hex)


def test_no_limit(somebody: str, settings: Settings) -> None:
    settings.LIMIT_SEND = 0
    assert take("send", somebody) is None
    settings.LIMIT_SEND, settings.LIMITS_APPLY = 1, False
    assert admitted("send", somebody, 5) == 5


def test_an_exact_limit_is_one_for_all_processes(
    somebody: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_LOGIN = 4
    assert admitted("login", somebody, 3) == 3
    another_process(monkeypatch, "login")
    assert admitted("login", somebody, 3) == 1
    with pytest.raises(RateLimited) as refused:
        take("login", somebody)
    assert 50_000 < (refused.value.retry_after_ms or 0) <= 60_000


def test_others_know_most_of_it(somebody: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LIMIT_SEND = 40
    assert admitted("send", somebody, 40) == 40
    eventually(lambda: stored("send", somebody) == 40)
    another_process(monkeypatch, "send")
    let_through = 0
    deadline = time.monotonic() + 20
    while not is_refused("send", somebody):
        let_through += 1
        assert time.monotonic() < deadline
        time.sleep(0.01)
    # A twentieth before it asks; what comes until the answer is there is a matter of moments.
    assert 2 <= let_through < 40


def stored(name: str, key: str) -> int:
    """What all processes know of."""
    found = redis.Redis.from_url(project.REDIS_URL).llen(f"limit:{name}/{key}/40/60/second")
    return int(found) if isinstance(found, int) else -1


def test_who_went_beyond_waits_longer(somebody: str, settings: Settings) -> None:
    settings.LIMIT_SEND = 10
    limit, window = LIMITS["send"], Window()
    shared().hit(limit, somebody, 10, 10)
    window.debt = 5
    settling.settle(limit, somebody, window)
    assert window.blocked_until - time.monotonic() > 25
    assert window.debt == 0


@pytest.mark.parametrize("name", ["login", "send"])
def test_without_redis_every_process_counts_alone(name: str, other_redis: Redis, settings: Settings) -> None:
    setattr(settings, LIMITS[name].setting, 5)
    somebody, other = new_id().hex, new_id().hex
    other_redis.stop()
    assert admitted(name, somebody, 8) == 5
    other_redis.start()
    other_redis.hang()
    assert admitted(name, other, 8) == 5
    other_redis.go_on()


def test_a_hung_redis_is_waited_for_once(other_redis: Redis, settings: Settings) -> None:
    settings.LIMIT_LOGIN = 100
    other_redis.hang()
    took = []
    for _ in range(20):
        begun = time.perf_counter()
        take("login", new_id().hex)
        took.append(time.perf_counter() - begun)
    other_redis.go_on()
    assert sum(one > 0.2 for one in took) <= 2
    assert max(took) < 2


def test_redis_comes_back(other_redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatproject.lib.pausing.PAUSE_SECONDS", 0.0)
    settings.LIMIT_LOGIN = 2
    other_redis.stop()
    assert admitted("login", "first", 1) == 1
    other_redis.start()
    assert admitted("login", "second", 2) == 2
    another_process(monkeypatch, "login")
    assert admitted("login", "second", 1) == 0


def test_a_frame_costs_microseconds(settings: Settings) -> None:
    """Processor time of the thread that asks, so that other load does not count."""
    settings.LIMIT_SEND = 10**6
    keys = [new_id() for _ in range(100)]
    begun = time.thread_time()
    for _ in range(100):
        for key in keys:
            take("send", key)
    assert (time.thread_time() - begun) / 10_000 < 30e-6
