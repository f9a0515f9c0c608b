"""Who may not, on real servers: every frame of every kind of visitor, and who is put out while connected."""

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.models import Run
from conversations.services import members, messages
from tests.conftest import new_user
from tests.faults.byhand import Line, dial
from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.support import client, connected, log_of, place_of, until
from tests.realtime.support import change_role, remove


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two servers; no worker, so that runs stay queued."""
    folder: Path = tmp_path_factory.mktemp("intruders")
    with Cluster(folder, webs=2, workers=0) as running:
        yield running


def asking(conversation: UUID, run: UUID) -> dict[str, Frame]:
    """Every frame that concerns a conversation or a run, by name."""
    id_ = str(conversation)
    clock = {"vector": {"by hand": 1}, "wall": 0}
    return {
        "join": {"type": "join", "conversation": id_},
        "resume": {"type": "join", "conversation": id_, "seq": 0},
        "fetch": {"type": "fetch", "conversation": id_, "after_seq": 0, "limit": 10},
        "send": {"type": "send", "conversation": id_, "cmid": str(new_id()), "text": "Hi"},
        "state": {"type": "state", "conversation": id_, "key": "k", "value": 1, "clock": clock},
        "attach": {"type": "attach", "run": str(run), "offset": 0},
        "stop": {"type": "stop", "run": str(run)},
    }


READS = {"join": "joined", "resume": "joined", "fetch": "page", "attach": "delta"}
WRITES = {"send": "sent", "state": "ok", "stop": "ok"}
EXPECTED = {
    "viewer": READS | dict.fromkeys(WRITES, "forbidden"),
    "editor": READS | WRITES,
    "owner": READS | WRITES,
}


async def answers(line: Line, conversation: UUID, run: UUID) -> dict[str, str]:
    """What each frame is answered: a type, or the code of an error."""
    found = {}
    for name, frame in asking(conversation, run).items():
        answer = await line.ask(ref=name, **frame)
        found[name] = answer.get("code") or answer["type"]
    return found


async def test_every_frame_of_every_visitor(alice: User, mallory: User, running: Cluster) -> None:
    conversation = await place_of(alice)
    queued = Run.objects.filter(conversation=conversation)
    people = {role: await in_thread(new_user, role.title()) for role in ("viewer", "editor", "former")}
    await _invite(alice, conversation, people)
    await remove(alice, conversation, people["former"])
    for name, user in {"viewer": people["viewer"], "editor": people["editor"], "owner": alice}.items():
        run = await _queued(alice, conversation)
        async with dial(running.addresses[0], user) as line:
            assert await answers(line, conversation, run) == EXPECTED[name], name
    run = await _queued(alice, conversation)
    for user in (mallory, people["former"]):
        async with dial(running.addresses[0], user) as line:
            there = await answers(line, conversation, run)
            assert there == await answers(line, new_id(), new_id())
            assert set(there.values()) == {"not_found"}
            assert len({frame["message"] for frame in line.heard if frame["type"] == "error"}) <= 2
            assert str(conversation) not in str(line.heard), "no content, and no sign of it"
            for frame in ({"type": "typing", "on": True}, {"type": "read", "seq": 1}):
                await line.say(conversation=str(conversation), **frame)
                assert (await line.hear("error"))["code"] == "not_found"
    assert await in_thread(lambda: queued.get(id=run).status) == "queued"


async def _invite(owner: User, conversation: UUID, people: dict[str, User]) -> None:
    for user in people.values():
        await asyncio.wrap_future(members.add(actor=owner, conversation=conversation, user=str(user.id)))
    await change_role(owner, conversation, people["viewer"], "viewer")


async def _queued(user: User, conversation: UUID) -> UUID:
    """A run that waits for a worker."""
    done = messages.send(
        user=user, conversation=conversation, text="Hi", cmid=str(new_id()), assistant="guide", on_busy="enqueue"
    )
    return UUID((await asyncio.wrap_future(done)).main["data"]["run"])


async def test_nobody_before_hello(alice: User, running: Cluster) -> None:
    """Not even that a conversation exists is said to who has not said who they are."""
    conversation = await place_of(alice)
    for frame in asking(conversation, new_id()).values():
        async with dial(running.addresses[0]) as line:
            answer = await line.ask(ref="r", **frame)
            assert answer["code"] == "unauthenticated"
            assert await line.closed() == 4501


async def test_a_guessed_id_cannot_be_told_by_time(alice: User, mallory: User, running: Cluster) -> None:
    """The median time of an answer is the same, whether there is such a conversation or not."""
    conversation = await place_of(alice)
    times: dict[bool, list[float]] = {True: [], False: []}
    async with dial(running.addresses[0], mallory) as line:
        for number in range(120):
            exists = number % 2 == 0
            begun = time.perf_counter()
            await line.ask(type="join", ref=number, conversation=str(conversation if exists else new_id()))
            times[exists].append(time.perf_counter() - begun)
    there, missing = (median(sorted(some)[10:]) for some in times.values())
    assert 1 / 2 < there / missing < 2, (there, missing)


@pytest.mark.parametrize("redis", ["with Redis", "without Redis"])
async def test_who_is_removed_while_connected_gets_nothing_more(
    alice: User, bob: User, conversation: UUID, running: Cluster, redis: str
) -> None:
    """`left` within 2 s although others go on talking; Bob's other conversation goes on too."""
    history, other = History(), await place_of(bob)
    alices = await client(alice, running.addresses[:1], history, [conversation])
    bobs = await client(bob, running.addresses[1:], History(), [conversation, other])
    if redis == "without Redis":
        running.redis.stop()
    try:
        async with connected(alices, bobs):
            talking = asyncio.create_task(_talk(alices, conversation))
            room = bobs.places[str(conversation)].room
            await until(lambda: bobs.has(str(conversation), 8))
            begun = time.monotonic()
            await remove(alice, conversation, bob)
            await until(lambda: room.error)
            assert time.monotonic() - begun < 2
            await talking
            await bobs.send(str(other), "Life goes on")
            await until(lambda: bobs.settled and bobs.has(str(other), 2) and alices.settled)
            log = await log_of(conversation)
            await until(partial(alices.has, str(conversation), len(log)))
    finally:
        if redis == "without Redis":
            running.redis.start()
    _saw_nothing_after_removal(bobs, conversation, log)
    assert violations(history, {str(conversation): log}) == []


def _saw_nothing_after_removal(bobs: Client, conversation: UUID, log: list[Frame]) -> None:
    removed = next(event["seq"] for event in log if event["type"] == "member:remove")
    seen = [seq for seq, _ in bobs.places[str(conversation)].view.applied]
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) < removed < len(log)


async def _talk(alices: Client, conversation: UUID) -> None:
    for number in range(60):
        await alices.send(str(conversation), f"Message {number}")
        await asyncio.sleep(0.03)


async def test_the_same_message_a_hundred_times_at_once(alice: User, conversation: UUID, running: Cluster) -> None:
    """Retries and tabs, on two servers: one event, one number, one that is not a duplicate."""
    frame = {"type": "send", "conversation": str(conversation), "cmid": "same", "text": "Once"}
    sent = [one for one in await _at_once(alice, running, [frame] * 100) if one["type"] == "sent"]
    assert len(sent) == 100
    assert {one["seq"] for one in sent} == {3}
    assert sorted(one["dup"] for one in sent) == [False] + [True] * 99
    assert [event["data"]["text"] for event in (await log_of(conversation))[2:]] == ["Once"]


async def test_the_same_cmid_for_different_texts(alice: User, conversation: UUID, running: Cluster) -> None:
    """The first one wins, the others are told."""
    frame = {"type": "send", "conversation": str(conversation), "cmid": "same"}
    answers = await _at_once(alice, running, [{**frame, "text": f"Text {number}"} for number in range(40)])
    assert [one["type"] for one in answers].count("sent") == 1
    assert [one.get("code") for one in answers].count("conflict") == 39
    assert len(await log_of(conversation)) == 3
    again = await _at_once(alice, running, [{**frame, "text": (await log_of(conversation))[2]["data"]["text"]}])
    assert (again[0]["seq"], again[0]["dup"]) == (3, True)


async def _at_once(user: User, running: Cluster, frames: list[Frame]) -> list[Frame]:
    """What comes back for frames that are said at the same time over four connections to two servers."""

    async def say(number: int) -> list[Frame]:
        mine = dict(enumerate(frames[number::4]))
        async with dial(running.addresses[number % 2], user) as line:
            for ref, frame in mine.items():
                await line.say(ref=ref, **frame)
            return [await line.hear("sent", "error") for _ in mine]

    return [answer for some in await asyncio.gather(*map(say, range(4))) for answer in some]
