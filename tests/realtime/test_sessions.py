"""A visit is one session, however often its connection drops."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from accounts.services import users
from chatproject.lib import clock
from chatproject.lib.threads import in_thread
from conversations.models import Session
from conversations.services import sessions
from tests.eventstreams import frames, request
from tests.realtime.support import join
from tests.sockets import Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


async def row_of(socket: Socket) -> Session:
    return await in_thread(Session.objects.get, id=socket.welcome["session"])


async def age(session: Session, seconds: float) -> None:
    """As if nobody had been heard of for so long."""
    seen = clock.now() - timedelta(seconds=seconds)
    await in_thread(Session.objects.filter(id=session.id).update, last_seen=seen, started_at=seen)


async def test_a_visit_is_written_down(alice: User, alice_socket: Socket) -> None:
    row = await row_of(alice_socket)
    assert (row.user_id, row.kind, row.client_id, row.ended_at) == (alice.id, "websocket", "test", None)


async def test_it_goes_on_after_a_lost_connection(alice: User) -> None:
    async with connect(alice) as socket:
        row = await row_of(socket)
    await age(row, 3500)
    async with connect(alice, session=str(row.id)) as again:
        assert again.welcome["session"] == str(row.id)
        assert (await row_of(again)).last_seen > clock.now() - timedelta(seconds=10)


async def test_after_an_hour_it_is_over_and_nothing_is_lost(alice: User, conversation: UUID) -> None:
    await in_thread(lambda: users.update_profile(user=alice, changes={"language": "zh-hans"}))
    async with connect(alice) as socket:
        row = await row_of(socket)
    await age(row, 3700)
    await in_thread(sessions.sweep)
    await in_thread(row.refresh_from_db)
    assert (row.ended_at, row.reason) == (row.last_seen, "silence")
    async with connect(alice, session=str(row.id)) as again:
        assert again.welcome["session"] != str(row.id)
        expired = await again.hear("session:expired")
        assert (expired["session"], expired["reason"]) == (str(row.id), "expired")
        assert "会话" in expired["message"]
        assert (await join(again, conversation, seq=0))["head"] == 2


async def test_nobody_takes_up_the_session_of_another(alice: User, mallory: User) -> None:
    async with connect(alice) as socket, connect(mallory, session=socket.welcome["session"]) as other:
        assert other.welcome["session"] != socket.welcome["session"]
        await other.hear("session:expired")


@pytest.mark.parametrize("rubbish", ["", "nonsense", "01900000-0000-7000-8000-000000000000"])
async def test_rubbish_for_a_session(alice: User, rubbish: str) -> None:
    async with connect(alice, session=rubbish) as socket:
        assert (await row_of(socket)).user_id == alice.id


async def test_staff_ends_one(alice: User, bob: User, alice_socket: Socket) -> None:
    """It is said why, in the language that is the user's now, before the socket is closed for good."""
    row = await row_of(alice_socket)
    await in_thread(lambda: users.update_profile(user=alice, changes={"language": "zh-hans"}))
    await in_thread(lambda: sessions.end_as_staff(staff=bob, session=row.id))
    expired = await alice_socket.hear()
    assert (expired["type"], expired["session"], expired["reason"]) == ("session:expired", str(row.id), "staff")
    assert "会话" in expired["message"]
    assert await alice_socket.closed_with() == 4501
    await in_thread(row.refresh_from_db)
    assert row.reason == "staff"
    async with connect(alice, session=str(row.id)) as again:
        assert (await again.hear("session:expired"))["reason"] == "staff"


async def test_one_that_its_user_ended_elsewhere(alice: User, alice_socket: Socket) -> None:
    row = await row_of(alice_socket)
    await in_thread(lambda: sessions.end(session=row.id))
    assert (await alice_socket.hear())["reason"] == "left"
    assert await alice_socket.closed_with() == 4501


@pytest.mark.parametrize("path", ["conversations/{}/events/", "stream/"])
async def test_staff_ends_one_of_a_stream(alice: User, bob: User, conversation: UUID, path: str) -> None:
    async with request(alice, path.format(conversation), query="since=2020-01-01T00:00:00Z") as stream:
        await stream.until("member:add")
        row = await in_thread(Session.objects.get, user=alice, kind="sse")
        await in_thread(lambda: sessions.end_as_staff(staff=bob, session=row.id))
        last = frames(await stream.rest(seconds=3))[-1]
        assert (last["type"], last["session"], last["reason"]) == ("session:expired", str(row.id), "staff")


async def test_those_who_are_connected_stay(alice: User) -> None:
    with override_settings(SESSION_RENEW_SECONDS=0.1, SESSION_SECONDS=1):
        async with connect(alice) as socket:
            assert await socket.hears_nothing(1.5)
            await in_thread(sessions.sweep)
            assert (await row_of(socket)).ended_at is None
