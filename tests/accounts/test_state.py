"""The state of a user: preferences, versions, last_active; what Redis keeps of it, and what it never shows."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from accounts import state
from accounts.models import User
from accounts.services import tokens, users
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.volatile import Volatile, volatile
from tests.accounts.visitor import logged_in
from tests.api import Api
from tests.conftest import new_user
from tests.conversations.support import at_once
from tests.outages import database_read_only
from tests.redis import Redis
from tests.sockets import connect

KEYS = st.text(min_size=1, max_size=8).filter(lambda key: "\0" not in key)


def kept(user: User) -> bytes | None:
    return volatile().get(f"user:{user.id}")


def row(user: User) -> User:
    """As a request with a token reads it."""
    return users.light().get(id=user.id)


# --- Two devices ------------------------------------------------------------------------------------------


def test_of_two_devices_one_wins_and_the_other_is_told_what_is_there_now(as_alice: Api) -> None:
    tag = as_alice.get("me/").headers["ETag"]
    answers = at_once(2, lambda n: as_alice.patch("me/", {"preferences": {"theme": n}}, If_Match=tag))
    won, lost = sorted(answers, key=lambda answer: answer.status)

    assert (won.status, lost.status, lost.code) == (200, 412, "stale")
    assert lost.json["user"] == won.json
    assert lost.json["version"] == won.json["version"]
    assert lost.headers["ETag"] == won.headers["ETag"]
    merged = {**lost.json["user"]["preferences"], "size": "large"}
    again = as_alice.patch("me/", {"preferences": merged}, If_Match=lost.headers["ETag"])
    assert (again.status, again.json["preferences"]) == (200, merged)


def test_every_version_is_won_once(alice: User) -> None:
    """Eight devices count together, each from what it last saw: no step is lost, none is made twice."""

    def count(_: int) -> int:
        won, seen = 0, User.objects.get(id=alice.id)
        while won < 5:
            changes = {"preferences": {"count": seen.preferences.get("count", 0) + 1}}
            with suppress(Problem):  # stale
                seen = users.update_profile(user=seen, changes=changes, version=seen.version)
                won += 1
                continue
            seen = User.objects.get(id=alice.id)
        return won

    before = User.objects.get(id=alice.id).version
    assert sum(at_once(8, count)) == 40
    after = User.objects.get(id=alice.id)
    assert (after.preferences["count"], after.version) == (40, before + 40)


# --- What Redis keeps -------------------------------------------------------------------------------------


def test_preferences_come_from_redis_for_an_hour(as_alice: Api, alice: User) -> None:
    as_alice.patch("me/", {"preferences": {"theme": "dark"}})
    client = volatile()._client
    assert 3590 <= int(client.ttl(f"user:{alice.id}")) <= 3600
    with CaptureQueriesContext(connection) as queries:
        assert as_alice.get("me/").json["preferences"] == {"theme": "dark"}
    assert not [query for query in queries if "preferences" in query["sql"]]


def test_nothing_in_redis_can_be_read_there(as_alice: Api, alice: User) -> None:
    as_alice.patch("me/", {"preferences": {"diagnosis": "a secret"}})
    assert b"secret" not in (kept(alice) or b"secret")


def test_what_others_write_into_redis_is_not_believed(as_alice: Api, alice: User, bob: User) -> None:
    as_alice.get("me/")
    Api(tokens.issue(bob)["access"]).patch("me/", {"preferences": {"of": "bob"}})
    for planted in (b"", b"x", b"a:b", b"\xff", kept(bob) or b"", (kept(alice) or b"")[:-8]):
        volatile().put(f"user:{alice.id}", planted, 60)
        assert as_alice.get("me/").json["preferences"] == {}


def test_it_can_be_turned_off(as_alice: Api, alice: User, settings: Settings) -> None:
    settings.USER_CACHE_SECONDS = 0
    volatile().drop(f"user:{alice.id}")
    as_alice.patch("me/", {"preferences": {"theme": "dark"}})
    assert as_alice.get("me/").json["preferences"] == {"theme": "dark"}
    assert kept(alice) is None


def test_a_write_that_is_rolled_back_is_not_kept(alice: User) -> None:
    def fail() -> None:
        users.update_profile(user=alice, changes={"preferences": {"never": True}}, idempotency_key="k")
        raise RuntimeError

    before = User.objects.get(id=alice.id)
    from_redis = kept(alice)
    with pytest.raises(RuntimeError):
        _atomically(fail)
    assert kept(alice) == from_redis
    assert state.complete(row(alice)).preferences == before.preferences


def _atomically(act: Callable[[], None]) -> None:
    with transaction.atomic():
        act()


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis of the test's own, with which this process tries again at once."""
    monkeypatch.setattr("chatproject.lib.pausing.PAUSE_SECONDS", 0.0)
    with Redis() as redis:
        own = Volatile(redis.url, 0.5)
        monkeypatch.setattr(state, "volatile", lambda: own)
        yield redis


def test_a_write_while_redis_hangs_is_seen_when_it_is_back(redis: Redis, alice: User) -> None:
    """What it held of before comes back with it, and is shown to nobody."""
    users.update_profile(user=alice, changes={"preferences": {"theme": "dark"}})
    assert state._find(row(alice)) is not None
    redis.hang()
    users.update_profile(user=alice, changes={"preferences": {"theme": "light"}})
    assert state.complete(row(alice)).preferences == {"theme": "light"}
    redis.go_on()
    assert state.complete(row(alice)).preferences == {"theme": "light"}


def test_without_redis_everything_is_there(redis: Redis, alice: User) -> None:
    redis.stop()
    users.update_profile(user=alice, changes={"preferences": {"theme": "dark"}})
    assert state.complete(row(alice)).preferences == {"theme": "dark"}


def test_what_a_restored_database_says_is_not_taken_from_before(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    users.update_profile(user=alice, changes={"preferences": {"of": "before"}})
    User.objects.filter(id=alice.id).update(preferences={"of": "the backup"})  # as the same version would say
    assert state.complete(row(alice)).preferences == {"of": "before"}
    monkeypatch.setattr(state, "incarnation", lambda: "another:00000002")
    assert state.complete(row(alice)).preferences == {"of": "the backup"}


def test_a_reader_that_is_late_spoils_nothing(alice: User) -> None:
    """It read before a write, and puts what it read into Redis after it."""
    late = User.objects.get(id=alice.id)
    users.update_profile(user=alice, changes={"preferences": {"theme": "dark"}})
    state.keep(late)
    assert state.complete(row(alice)).preferences == {"theme": "dark"}


ACTS = st.lists(
    st.sampled_from(["write", "staff", "read", "late", "forget", "seen"]) | st.just("write"), min_size=1, max_size=12
)


@given(
    ACTS,
    st.dictionaries(
        KEYS, st.integers(-(2**53), 2**53) | st.text(max_size=4).filter(lambda text: "\0" not in text), max_size=3
    ),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_reads_sees_the_last_write(acts: list[str], preferences: dict[str, Any]) -> None:
    user = new_user("Alice")
    truth: dict[str, Any] = {}
    late = User.objects.get(id=user.id)
    for number, act in enumerate(acts):
        if act == "write":
            truth = {**preferences, "n": number}
            users.update_profile(user=user, changes={"preferences": truth})
        elif act == "staff":
            truth = {"by staff": number}
            user.preferences = truth
            users.save_as_staff(user=user, changed=["preferences"])
        elif act == "late":
            state.keep(late)
            late = User.objects.get(id=user.id)
        elif act == "forget":
            volatile().drop(f"user:{user.id}")
        elif act == "seen":
            users.seen(row(user))
        assert state.complete(row(user)).preferences == truth


def test_readers_beside_a_writer_never_go_back(alice: User) -> None:
    done = threading.Event()

    def read(_: int) -> bool:
        seen = 0
        while not done.is_set():
            now = state.complete(row(alice))
            assert now.preferences.get("n", 0) >= seen
            seen = now.preferences.get("n", 0)
        return True

    def write() -> bool:
        try:
            for n in range(1, 60):
                users.update_profile(user=alice, changes={"preferences": {"n": n}})
        finally:
            done.set()
        return True

    assert all(at_once(4, lambda n: write() if n == 0 else read(n)))


# --- last_active ------------------------------------------------------------------------------------------


def last_active(user: User) -> Any:
    return User.objects.get(id=user.id).last_active


def test_a_request_is_activity_but_once_a_minute(as_alice: Api, alice: User) -> None:
    assert last_active(alice) is None
    as_alice.get("me/")
    first = last_active(alice)
    assert abs((clock.now() - first).total_seconds()) < 60
    version = User.objects.get(id=alice.id).version
    with CaptureQueriesContext(connection) as queries:
        as_alice.get("conversations/")
    assert not [query for query in queries if query["sql"].startswith("UPDATE")]
    assert last_active(alice) == first

    User.objects.filter(id=alice.id).update(last_active=clock.now() - timedelta(seconds=61))
    assert as_alice.get("me/").status == 200
    assert last_active(alice) > first
    assert User.objects.get(id=alice.id).version == version


def test_of_many_requests_at_once_one_writes(alice: User) -> None:
    at_once(8, lambda _: users.seen(row(alice)))
    first = last_active(alice)
    at_once(8, lambda _: users.seen(alice))  # they read the row before
    assert last_active(alice) == first


def test_pages_are_activity_and_refusals_are_not(alice: User, bob: User) -> None:
    logged_in(alice).get("/")
    assert last_active(alice) is not None
    Api(tokens.issue(bob)["access"]).get("conversations/00000000-0000-7000-8000-000000000000/")
    Client().get("/")
    assert last_active(bob) is None


async def test_a_socket_is_activity(alice: User, realtime_layer: None) -> None:
    with override_settings(SESSION_RENEW_SECONDS=0.05):
        async with connect(alice) as socket:
            await socket.hears_nothing(0.5)
    assert (await User.objects.aget(id=alice.id)).last_active is not None


def test_where_nothing_can_be_written_people_still_read(as_alice: Api, alice: User) -> None:
    with database_read_only():
        assert as_alice.get("me/").status == 200
    assert last_active(alice) is None
