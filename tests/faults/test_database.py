"""PostgreSQL is away, slow, locked or full: everybody is told soon, nothing is acknowledged that is not stored,
nothing is queued that its sender was told to send again, sockets stay open."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from chatproject.lib.ids import new_id
from tests.faults.checker import Frame
from tests.faults.cluster import Cluster
from tests.faults.outside import Api, Caller, People
from tests.faults.support import connected, until
from tests.postgres import Postgres

Make = Callable[..., Cluster]
# Whoever asks is told within two seconds; what is more is the machine's own hurry.
SOON = 2.5


@pytest.mark.parametrize(
    "seconds", [pytest.param(4, id="short"), pytest.param(60, id="long", marks=pytest.mark.faults)]
)
async def test_away(cluster: Make, postgres: Postgres, seconds: int, say: Callable[[str], None]) -> None:
    async with cluster(webs=2, DATABASE_URL=postgres.database(f"away-{seconds}")) as running:
        people = await People.gather(Api(running.webs[0].url), running.addresses)
        async with connected(*people.clients), people.caller(running.addresses[0]) as caller:
            assert (await caller.hello())[0]["type"] == "welcome"
            talking = asyncio.create_task(people.talk(seconds + 2))
            await asyncio.sleep(1)
            postgres.stop()
            stopped = time.monotonic()
            await everybody_is_told(people, caller, running)
            await caller.rest(seconds - (time.monotonic() - stopped))
            acknowledged = len(people.history.of("ok"))
            postgres.start()
            back = await until(lambda: len(people.history.of("ok")) > acknowledged)
            await talking
            await lets_in(caller, people.places[1])
            logs = await people.check()
            say(f"live {back:.1f} s after PostgreSQL; answers within {people.longest_wait():.1f} s")
        assert people.longest_wait() < SOON
        assert back < 3
        assert [one.connections for one in people.clients] == [1] * len(people.clients), "sockets stay open"
        assert not any(event.get("cmid") == "not again" for log in logs.values() for event in log)
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def lets_in(caller: Caller, place: str) -> None:
    """As soon as every process has connections again; until then it says when to come."""
    begun = time.monotonic()
    while (frame := (await caller.join(place))[0])["type"] == "error":
        assert frame["code"] == "unavailable", frame
        assert time.monotonic() - begun < 3, "away for too long"
        await caller.rest(frame["retry_after_ms"] / 1000)
    assert frame["type"] == "joined"


async def everybody_is_told(people: People, caller: Caller, running: Cluster) -> None:
    """At every door, within two seconds, that it is worth trying again."""
    place, other = people.places
    frames = [await caller.say(place, "not again"), await caller.join(other)]
    async with people.caller(running.addresses[1]) as newcomer:
        frames += [await newcomer.hello(), await newcomer.hello()]
    for frame, seconds in frames:
        assert (frame["type"], frame["code"], frame["retryable"]) == ("error", "unavailable", True), frame
        assert frame["retry_after_ms"] == 1000
        assert seconds < SOON
    doors = ("conversations/", None), (f"conversations/{place}/events/", None), ("stream/", None)
    for path, body in (*doors, (f"conversations/{place}/messages/", {"text": "Hello"})):
        answer = await asyncio.to_thread(people.api.ask, f"api/v1/{path}", body, people.tokens[0])
        assert (answer.status, answer.json["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")
        assert answer.seconds < SOON
    health = [await asyncio.to_thread(people.api.ask, path) for path in ("livez", "readyz")]
    assert [answer.status for answer in health] == [200, 503]


SLOW_RUNS = """
ALTER TABLE conversations_run RENAME TO hidden_run;
CREATE FUNCTION slowly() RETURNS SETOF hidden_run LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(5); RETURN QUERY SELECT * FROM hidden_run; END $$;
CREATE VIEW conversations_run AS SELECT * FROM slowly();
"""


async def test_slow_and_locked(cluster: Make, postgres: Postgres) -> None:
    """What takes long, or waits for a lock, holds up nobody else: neither messages nor heartbeats."""
    url = postgres.database("slow")
    async with cluster(webs=1, DATABASE_URL=url, HEARTBEAT_MS="900") as running:
        people = await People.gather(Api(running.webs[0].url), running.addresses)
        address, (hot, other) = running.addresses[0], people.places
        async with connected(*people.clients), AsyncExitStack() as stack:
            callers = [await stack.enter_async_context(people.caller(address)) for _ in range(12)]
            for caller in callers:
                assert (await caller.hello())[0]["type"] == "welcome"
            await a_locked_conversation(postgres, callers, hot, other)
            await streams_that_cannot_begin(postgres, people, other)
            postgres.run(SLOW_RUNS, database="slow")
            await slow_answers(callers, other)
            postgres.run(
                "DROP VIEW conversations_run; ALTER TABLE hidden_run RENAME TO conversations_run", database="slow"
            )
            await people.check()
        assert [one.connections for one in people.clients] == [1] * len(people.clients)


async def a_locked_conversation(postgres: Postgres, callers: list[Caller], hot: str, other: str) -> None:
    with psycopg.connect(postgres.address("slow")) as holder:
        holder.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [hot])
        waiting = asyncio.create_task(callers[0].say(hot, "locked"))
        waits = [(await callers[1].say(other, f"free {number}"))[1] for number in range(20)]
        assert max(waits) < 0.5
        frame, seconds = await waiting
        assert (frame["type"], frame["code"], frame["retryable"]) == ("error", "unavailable", True)
        assert 1.9 < seconds < SOON
    frame, _ = await callers[0].say(hot, "locked")
    assert (frame["type"], frame["dup"]) == ("sent", False)


async def streams_that_cannot_begin(postgres: Postgres, people: People, place: str) -> None:
    """They were let in; then the row of their visit cannot be written."""
    with psycopg.connect(postgres.address("slow")) as holder:
        holder.execute("LOCK TABLE conversations_session IN EXCLUSIVE MODE")
        for path in (f"conversations/{place}/events/?after_seq=0", "stream/"):
            frames, seconds = await asyncio.to_thread(people.api.stream, f"api/v1/{path}", people.tokens[0])
            assert [(one["type"], one["code"], one["retryable"]) for one in frames] == [("error", "unavailable", True)]
            assert seconds < SOON


async def slow_answers(callers: list[Caller], place: str) -> None:
    """All threads of the server wait for `pg_sleep`, and then some."""
    *busy, joining, talking, resting = callers
    waiting = [asyncio.create_task(caller.attach(str(new_id()))) for caller in busy]
    heart = asyncio.create_task(resting.heartbeats(4))
    await asyncio.sleep(0.3)
    told = [await joining.join(place)]
    waits = [(await talking.say(place, f"meanwhile {number}"))[1] for number in range(20)]
    told += await asyncio.gather(*waiting)
    assert max(waits) < 0.5
    assert max(await heart) < 2, "a heartbeat was late"
    for frame, seconds in told:
        assert (frame["type"], frame["code"], frame["retryable"]) == ("error", "unavailable", True), frame
        assert seconds < SOON


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
async def test_the_disk_is_full(cluster: Make, postgres: Postgres) -> None:
    """The tables lie on a disk of 64 MiB, which something else fills up, and empties again."""
    with small_disk(postgres) as disk:
        postgres.run(f"CREATE TABLESPACE small LOCATION '{disk}'")
        async with cluster(webs=2, DATABASE_URL=postgres.database("full", "TABLESPACE small")) as running:
            people = await People.gather(Api(running.webs[0].url), running.addresses)
            async with connected(*people.clients), people.caller(running.addresses[0]) as caller:
                assert (await caller.hello())[0]["type"] == "welcome"
                talking = asyncio.create_task(people.talk(10, pause=0.3))
                await asyncio.sleep(1)
                ballast = disk.parent / "ballast"
                await asyncio.to_thread(fill_up, ballast)
                refused = await until_refused(caller, people.places[0])
                assert (refused["code"], refused["retryable"]) == ("unavailable", True)
                assert (await caller.join(people.places[1]))[0]["type"] == "joined", "what is there can be read"
                await asyncio.sleep(2)
                ballast.unlink()
                await talking
                await people.check()
            assert [one.connections for one in people.clients] == [1] * len(people.clients)
            assert people.history.of("info")
            assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def until_refused(caller: Caller, place: str) -> Frame:
    """Say much, until it is refused; PostgreSQL has some pages left when its disk is full."""
    for number in range(500):
        frame, seconds = await caller.say(place, f"much {number}", "漢" * 10_000)
        assert seconds < SOON
        if frame["type"] == "error":
            return frame
    raise AssertionError("the disk does not get full")


@contextmanager
def small_disk(postgres: Postgres) -> Iterator[Path]:
    """An empty folder of PostgreSQL's own on a file system of 64 MiB."""
    with TemporaryDirectory(prefix="chat-disk-", ignore_cleanup_errors=True) as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=711", "tmpfs", folder], check=True)
        os.chmod(folder, 0o711)
        owner = postgres.layout.cluster.stat()
        disk = Path(folder) / "tables"
        disk.mkdir(mode=0o700)
        os.chown(disk, owner.st_uid, owner.st_gid)
        try:
            yield disk
        finally:
            postgres.run('DROP DATABASE IF EXISTS "full" WITH (FORCE)')
            postgres.run("DROP TABLESPACE IF EXISTS small")
            subprocess.run(["umount", folder], check=True)


def fill_up(file: Path) -> None:
    """Leave no room on the disk of a file."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(1024 * 1024))
