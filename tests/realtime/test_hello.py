"""Who opens a socket, and how it is refused."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpRequest
from django.test import override_settings
from rest_framework_simplejwt.tokens import AccessToken

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.postgresql.outage import PAUSE_SECONDS
from chatproject.lib.threads import in_thread
from realtime.protocol import Close
from realtime.routing import websocket
from tests.conftest import ticket_of
from tests.outages import database_away
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
HELLO: Frame = {"type": "hello", "v": 1, "client_id": "test"}


async def refused(hello: Frame, user: User | None = None) -> tuple[str, int]:
    """The error's code and the close code."""
    async with connect(user) as socket:
        await socket.say(**hello)
        return (await socket.hear("error"))["code"], await socket.closed_with()


def access(user: User) -> str:
    return tokens.issue(user)["access"]


async def test_welcome_says_who_and_how(alice: User) -> None:
    async with connect(alice) as socket:
        welcome = socket.welcome
    assert welcome["user"] == {"id": str(alice.id), "name": "Alice"}
    assert str(UUID(welcome["session"])) == welcome["session"]
    numbers = {name: welcome[name] for name in ("heartbeat_ms", "timeout_ms", "ack_window", "batch_ms")}
    assert numbers == {"heartbeat_ms": 25000, "timeout_ms": 60000, "ack_window": 20, "batch_ms": 50}
    assert welcome["resumed"] == []
    assert welcome["server_time"].endswith("Z")


async def test_a_bad_token_is_answered_and_final() -> None:
    assert await refused({**HELLO, "token": "nonsense"}) == ("unauthenticated", 4501)


async def test_no_token_at_all() -> None:
    assert await refused(HELLO) == ("unauthenticated", 4501)


async def test_an_expired_token_is_to_be_renewed(alice: User) -> None:
    token = AccessToken.for_user(alice)
    token.set_exp(lifetime=timedelta(minutes=-5))
    assert await refused({**HELLO, "token": str(token)}) == ("token_expired", 4004)


async def test_a_token_of_a_login_that_ended(alice: User) -> None:
    token = await in_thread(access, alice)
    await User.objects.filter(id=alice.id).aupdate(auth_version=alice.auth_version + 1)
    assert await refused({**HELLO, "token": token}) == ("unauthenticated", 4501)


async def test_a_token_of_a_user_who_was_shut_out(alice: User) -> None:
    token = await in_thread(access, alice)
    await User.objects.filter(id=alice.id).aupdate(is_active=False)
    assert await refused({**HELLO, "token": token}) == ("unauthenticated", 4501)


async def test_another_version_of_the_protocol(alice: User) -> None:
    token = await in_thread(access, alice)
    assert await refused({**HELLO, "v": 2, "token": token}) == ("invalid", 4500)


async def test_a_ticket_opens_one_socket(alice: User) -> None:
    ticket = await in_thread(ticket_of, alice)
    async with connect(None) as socket:
        await socket.say(**HELLO, ticket=ticket)
        assert (await socket.hear("welcome"))["user"]["id"] == str(alice.id)
    assert await refused({**HELLO, "ticket": ticket}) == ("unauthenticated", 4501)


@override_settings(HELLO_SECONDS=0.2)
async def test_silence_is_closed() -> None:
    async with connect(None) as socket:
        assert await socket.closed_with() == 4501


@override_settings(HELLO_SECONDS=0.2)
async def test_a_welcomed_socket_is_not_closed_for_silence(alice: User) -> None:
    async with connect(alice) as socket:
        assert await socket.hears_nothing(0.5)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "join", "ref": 7, "conversation": "x"},
        {"type": "send", "ref": 7, "conversation": "x", "cmid": "m", "text": "Hi"},
        {"type": "stop", "ref": 7, "run": "x"},
        {"type": "fetch", "ref": 7, "conversation": "x", "after_seq": 0, "limit": 1},
        {"type": "attach", "ref": 7, "run": "x", "offset": 0},
    ],
)
async def test_nothing_comes_before_hello(frame: Frame) -> None:
    async with connect(None) as socket:
        await socket.say(**frame)
        error = await socket.hear("error")
        assert (error["code"], error["ref"]) == ("unauthenticated", 7)
        assert await socket.closed_with() == 4501


async def test_a_second_hello_is_refused_and_changes_nothing(alice: User, bob: User) -> None:
    async with connect(alice) as socket:
        await socket.say(**HELLO, token=await in_thread(access, bob))
        assert (await socket.hear())["code"] == "invalid"
        await socket.say(type="leave", ref=1, conversation=str(alice.id))
        assert (await socket.hear("ok"))["ref"] == 1


async def test_a_hello_that_resumes_too_much(alice: User) -> None:
    token = await in_thread(access, alice)
    async with connect(None) as socket:
        with override_settings(ROOMS_PER_CONNECTION=0):
            await socket.say(**HELLO, token=token, resume=[{"conversation": str(alice.id), "seq": 0}])
            assert (await socket.hear("error"))["code"] == "too_large"
            assert await socket.closed_with() == 4500


def session_cookie(user: User) -> str:
    """A browser's log-in."""
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    request.session.save()
    return f"sessionid={request.session.session_key}"


async def hello_with(headers: dict[str, str]) -> Frame:
    """The answer to a hello that names nobody, after a handshake with `headers`."""
    raw: list[Any] = [(name.encode(), value.encode()) for name, value in {"host": "chat.test", **headers}.items()]
    communicator = WebsocketCommunicator(websocket, "/ws/", headers=raw)
    await communicator.connect()
    socket = Socket(communicator)
    try:
        await socket.say(**HELLO)
        return await socket.hear()
    finally:
        await socket.disconnect()


@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        ("https://chat.test", "welcome"),
        ("http://chat.test", "welcome"),
        ("https://friend.test", "welcome"),
        ("https://evil.test", "error"),
        ("https://chat.test.evil.test", "error"),
        ("https://chat.test:444", "error"),
        ("null", "error"),
        ("", "error"),
        (None, "error"),
    ],
)
@override_settings(CSRF_TRUSTED_ORIGINS=["https://friend.test"])
async def test_the_cookie_counts_on_our_own_pages_only(alice: User, origin: str | None, answer: str) -> None:
    headers = {"cookie": await in_thread(session_cookie, alice)}
    heard = await hello_with(headers if origin is None else {**headers, "origin": origin})
    assert heard["type"] == answer


async def test_a_cookie_that_is_nothing() -> None:
    assert (await hello_with({"cookie": "sessionid=nothing", "origin": "https://chat.test"}))["type"] == "error"
    assert (await hello_with({"cookie": "a=\x01; ;;=", "origin": "https://chat.test"}))["type"] == "error"


async def test_a_bearer_at_the_handshake(alice: User) -> None:
    token = await in_thread(access, alice)
    assert (await hello_with({"authorization": f"Bearer {token}"}))["type"] == "welcome"
    assert (await hello_with({"authorization": "Bearer nonsense"}))["code"] == "unauthenticated"
    assert (await hello_with({"authorization": "Basic YTpi"}))["code"] == "unauthenticated"


@pytest.fixture
def reconnected() -> Iterator[None]:
    """The connection of fixtures is broken with all others."""
    yield
    connection.close()


@override_settings(HELLO_SECONDS=4)
@pytest.mark.usefixtures("reconnected")
async def test_nobody_is_sent_away_for_good_because_the_database_is_away(alice: User) -> None:
    hello = {**HELLO, "token": await in_thread(access, alice)}
    async with connect(None) as patient, connect(None) as silent:
        with database_away():
            for socket in (patient, silent):
                await socket.say(**hello)
            for socket in (patient, silent):
                error = await socket.hear("error")
                assert (error["code"], error["retryable"], error["retry_after_ms"]) == ("unavailable", True, 1000)
        await asyncio.sleep(PAUSE_SECONDS)
        await patient.say(**hello)
        await patient.hear("welcome")
        assert await silent.closed_with(seconds=6) == Close.RATE_LIMITED
