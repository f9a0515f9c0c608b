"""A rolling deployment: servers of this release beside writers of the next one, which knows further event types."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import eventlog
from conversations.actors import Actor
from conversations.appends import Append, Decision, Draft
from conversations.event_types import EVENT_TYPES, EventType
from conversations.projections.registry import HANDLERS
from tests.faults.checker import History, violations
from tests.faults.cluster import Cluster
from tests.faults.outside import Api
from tests.faults.support import client, connected, damage, log_of, until

LATER = "poll:new"


def vote(user: User, conversation: UUID, question: str) -> Append:
    """What only the next release can say."""
    draft = Draft(LATER, {"poll": str(new_id()), "question": question})
    return Append(conversation, Actor.of(user), str(new_id()), lambda state: Decision([draft]), drafts=[draft])


async def test_a_later_release_writes_what_this_one_does_not_know(
    alice: User, bob: User, conversation: UUID, cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, history = str(conversation), History()
    async with cluster(webs=1) as running:
        reader = await client(bob, running.addresses, history, [conversation])
        async with connected(reader):
            await reader.send(place, "before")
            await until(lambda: reader.settled)
            with monkeypatch.context() as later:
                later.setitem(EVENT_TYPES, LATER, EventType(LATER, "A poll began.", ("question",)))
                later.setitem(HANDLERS, LATER, lambda projector, conversation, event: None)
                for number in range(3):
                    await asyncio.wrap_future(eventlog.submit(vote(alice, conversation, f"Question {number}?")))
                    await reader.send(place, f"meanwhile {number}")
            await until(lambda: reader.settled)
            log = await log_of(conversation)
            await until(lambda: reader.has(place, len(log)), what="the reader goes on")
            newcomer = await client(alice, running.addresses, history, [conversation])
            async with connected(newcomer):
                await until(lambda: newcomer.has(place, len(log)), what="a newcomer is given all of it")
        events = await asyncio.to_thread(Api(running.webs[0].url).log, place, reader._token)
        assert [event["data"].get("question") for event in events if event["type"] == LATER] == [
            f"Question {number}?" for number in range(3)
        ]
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]
    assert violations(history, {place: log}) == []
    (found,) = await in_thread(damage, [conversation])
    assert "event 4 cannot be applied" in found, "this release says that it cannot verify the later one's"
