"""A process that was asked to end sends its clients away in turn."""

import asyncio
from uuid import UUID

from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from realtime.hub import hub
from tests.realtime.support import join
from tests.sockets import Socket, connect


async def test_everybody_is_asked_to_go(conversation: UUID, alice_socket: Socket, bob_socket: Socket) -> None:
    await join(alice_socket, conversation)
    draining = asyncio.create_task(hub().drain.run())
    for socket in (alice_socket, bob_socket):
        asked = await socket.hear("drain")
        assert 0 <= asked["retry_after_ms"] < asked["deadline_ms"]
        assert await socket.closed_with() == 4001
        await socket.disconnect()
    await draining


async def test_where_nobody_was_for_a_while_there_is_time_to_go_too(alice: User, realtime_layer: None) -> None:
    async with connect(alice):
        pass
    async with connect(alice) as socket:
        draining = asyncio.create_task(hub().drain.run())
        await socket.hear("drain")
        assert not draining.done()
        assert await socket.closed_with() == 4001
        await socket.disconnect()
        await draining


async def test_whoever_comes_meanwhile_is_sent_on(alice: User, alice_socket: Socket) -> None:
    draining = asyncio.create_task(hub().drain.run())
    await alice_socket.hear("drain")
    async with connect(None) as late:
        await late.say(type="hello", v=1, client_id="late", token="whatever")
        assert (await late.hear())["type"] == "drain"
        await late.say(type="ack", n=1)
        await late.say(type="join", ref=1, conversation=str(new_id()))
        assert (await late.hear("error"))["code"] == "unavailable"
        assert await late.closed_with() == 4001
        ready = await in_thread(Client().get, "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "draining")
    draining.cancel()
