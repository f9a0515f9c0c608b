"""How long a connection may go on: a login that ends, a token that is replaced in time or not."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import Login, User
from accounts.services import apikeys, credentials, logins, tickets, tokens
from chatproject.lib.threads import in_thread
from conversations import selectors
from realtime.client import Client, State
from tests.api import Api
from tests.conftest import identity_of
from tests.conversations.assistants.support import asked
from tests.eventstreams import frames, request
from tests.faults.support import until_stored
from tests.realtime.support import join, write
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
# A token of 4 s is to be replaced at once and is over after another second.
SHORT = {"ACCESS_TOKEN_SECONDS": 4, "TOKEN_RENEW_PERCENT": 1, "TOKEN_GRACE_SECONDS": 1}


@asynccontextmanager
async def as_whom(**hello: Any) -> AsyncIterator[Socket]:
    """A socket whose `hello` says who it is by a token or ticket."""
    async with connect(None) as socket:
        await socket.say(type="hello", v=1, client_id="test", **hello)
        socket.welcome = await socket.hear("welcome")
        yield socket


async def pair_of(user: User) -> dict[str, str]:
    return await in_thread(tokens.issue, user)


# --- A login that ends ------------------------------------------------------------------------------------


async def test_logging_out_of_one_login_ends_its_sockets_and_no_others(alice: User) -> None:
    here, there = await pair_of(alice), await pair_of(alice)
    async with as_whom(token=here["access"]) as socket, as_whom(token=there["access"]) as other:
        await in_thread(tokens.revoke, here["refresh"])
        assert await socket.closed_with(seconds=3) == 4501
        await other.say(type="leave", ref="l", conversation=str(alice.id))
        assert (await other.answer("l"))["type"] == "ok"


async def test_tokens_of_one_login_that_were_renewed_end_with_it_too(alice: User) -> None:
    pair = await pair_of(alice)
    identity = await in_thread(tokens.identify, pair["access"])
    async with as_whom(token=tokens.renewed(identity)[0]) as socket:
        await in_thread(tokens.revoke, pair["refresh"])
        assert await socket.closed_with(seconds=3) == 4501


async def test_a_socket_opened_by_a_ticket_ends_with_the_login_that_asked(alice: User) -> None:
    identity = await in_thread(identity_of, alice)
    async with as_whom(ticket=await in_thread(tickets.issue, identity)) as socket:
        await in_thread(partial(logins.end, login=identity.login, reason=Login.Reason.STAFF))
        assert await socket.closed_with(seconds=3) == 4501


async def test_streams_end_with_the_login(alice: User, conversation: UUID) -> None:
    for path in (f"conversations/{conversation}/events/", "stream/"):
        async with request(alice, path) as stream:
            await in_thread(partial(logins.end_all, user=alice, reason=Login.Reason.STAFF))
            await stream.rest(seconds=3)


async def test_whoever_waits_for_an_answer_is_told_that_the_login_ended(alice: User) -> None:
    place, _ = await in_thread(asked, alice)
    _, before = await in_thread(selectors.head, place)
    pair = await pair_of(alice)
    path = f"conversations/{place}/messages/?wait=30"
    body = {"text": "And then?", "assistant": "guide", "on_busy": "enqueue"}
    waiting = asyncio.create_task(asyncio.to_thread(Api(pair["access"]).post, path, body))
    await until_stored(lambda: selectors.head(place)[1] > before)
    await in_thread(tokens.revoke, pair["refresh"])
    async with asyncio.timeout(10):
        assert (await waiting).code == "unauthenticated"


# --- A token that expires -----------------------------------------------------------------------------------


@override_settings(**SHORT)
async def test_a_token_is_offered_taken_and_holds_the_connection(alice: User, conversation: UUID) -> None:
    async with as_whom(token=(await pair_of(alice))["access"]) as socket:
        for _ in range(6):  # past the end of the first token, and its time of grace
            offered = await socket.hear("auth:renewed", seconds=10)
            assert offered["expires_at"].endswith("Z")
            await socket.say(type="auth", ref="a", token=offered["access"])
            assert await socket.answer("a") == {"type": "ok", "ref": "a"}
        await write(alice, conversation)
        assert (await join(socket, conversation, seq=0))["head"] == 3


@override_settings(**SHORT)
async def test_who_does_not_take_it_is_closed_and_goes_on_where_it_was(alice: User, conversation: UUID) -> None:
    async with as_whom(token=(await pair_of(alice))["access"]) as socket:
        epoch = (await join(socket, conversation, seq=0))["epoch"]
        fresh = (await socket.hear("auth:renewed", seconds=10))["access"]
        assert await socket.closed_with(seconds=15) == 4004
    await write(alice, conversation)
    point = {"conversation": str(conversation), "epoch": epoch, "seq": 2}
    async with as_whom(token=fresh, resume=[point]) as socket:
        assert [entry["ok"] for entry in socket.welcome["resumed"]] == [True]
        assert [event["seq"] for event in (await socket.hear("catchup"))["events"]] == [3]


@override_settings(**SHORT)
async def test_streams_bring_the_token_and_end_in_time(alice: User, conversation: UUID) -> None:
    for path in (f"conversations/{conversation}/events/", "stream/"):
        async with request(alice, path) as stream:
            events = await stream.until("auth:renewed", seconds=10)
            assert "id" not in events[-1]
            access = frames(events)[-1]["access"]
            assert (await in_thread(credentials.identify, access)).user == alice
            await stream.rest(seconds=15)


@override_settings(**SHORT)
async def test_a_cookie_or_a_ticket_holds_as_long_as_its_login(alice: User) -> None:
    identity = await in_thread(identity_of, alice)
    async with as_whom(ticket=await in_thread(tickets.issue, identity)) as socket:
        assert await socket.hears_nothing(2)


def somebody_elses(pair: dict[str, str], other: dict[str, str]) -> str:
    return other["access"]


def refresh(pair: dict[str, str], other: dict[str, str]) -> str:
    return pair["refresh"]


def nonsense(pair: dict[str, str], other: dict[str, str]) -> str:
    return "nonsense"


@pytest.mark.parametrize(
    ("shown", "code"), [(somebody_elses, "forbidden"), (refresh, "unauthenticated"), (nonsense, "unauthenticated")]
)
async def test_auth_with_a_token_that_will_not_do(
    alice: User, mallory: User, shown: Callable[..., str], code: str
) -> None:
    """The connection stays what it was."""
    pair, other = await pair_of(alice), await pair_of(mallory)
    async with as_whom(token=pair["access"]) as socket:
        await socket.say(type="auth", ref="a", token=shown(pair, other))
        assert (await socket.answer("a"))["code"] == code
        await socket.say(type="auth", token=pair["access"])
        assert await socket.hear("ok") == {"type": "ok"}


async def test_auth_before_hello(alice: User) -> None:
    async with connect(None) as socket:
        await socket.say(type="auth", token=(await pair_of(alice))["access"])
        assert (await socket.hear("error"))["code"] == "unauthenticated"
        assert await socket.closed_with() == 4501


# --- Over HTTP ----------------------------------------------------------------------------------------------


async def test_any_answer_carries_a_new_token_when_it_is_time(alice: User) -> None:
    access = (await pair_of(alice))["access"]

    def answers() -> list[Any]:
        return [Api(access).get("me/"), Api(access).get(f"conversations/{alice.id}/"), Api(access).post("auth/ticket/")]

    assert {answer.headers.get("X-Access-Token") for answer in await in_thread(answers)} == {None}
    with override_settings(ACCESS_TOKEN_SECONDS=24 * 3600 * 6):  # of which this one has lived five
        fresh = [answer.headers.get("X-Access-Token") for answer in await in_thread(answers)]
        assert all(fresh)
        assert (await in_thread(lambda: Api(str(fresh[0])).get("me/"))).status == 200


@override_settings(ACCESS_TOKEN_SECONDS=3600, LOGIN_SECONDS=1800)
async def test_nothing_goes_beyond_the_login(alice: User) -> None:
    access = (await pair_of(alice))["access"]
    answer = await in_thread(lambda: Api(access).get("me/"))
    assert (answer.status, answer.headers.get("X-Access-Token")) == (200, None)


# --- Clients ------------------------------------------------------------------------------------------------


class Link:
    """What the Python client says, and what it is told."""

    def __init__(self) -> None:
        self.said: list[Frame] = []

    def say(self, frame: Frame) -> None:
        self.said.append(json.loads(json.dumps(frame)))


async def test_the_python_client_takes_a_renewed_token_over() -> None:
    noticed: list[Frame] = []
    states: list[State] = []
    client = Client("http://nowhere", token="old", on_notice=noticed.append, on_state=states.append)
    link = Link()
    client._link, client.state = link, "online"  # type: ignore[assignment]
    client.receive({"type": "auth:renewed", "access": "new", "expires_at": "2026-01-01T00:00:00.000Z"})
    assert link.said == [{"type": "auth", "token": "new"}]
    assert client.hello()["token"] == "new"
    assert [frame["type"] for frame in noticed] == ["auth:renewed"]


# --- API keys -----------------------------------------------------------------------------------------------


def key_of(user: User, *scopes: str) -> tuple[UUID, str]:
    key, secret = apikeys.create(user=user, name="Robot", scopes=scopes)
    return key.id, secret


async def test_a_revoked_key_ends_its_sockets_and_streams(alice: User, conversation: UUID) -> None:
    key, secret = await in_thread(key_of, alice, "read")
    async with request(alice, "stream/", authorization=f"Bearer {secret}") as stream, as_whom(token=secret) as socket:
        assert (await join(socket, conversation, seq=0))["head"] == 2
        await in_thread(partial(apikeys.revoke, key=key, actor=alice))
        assert await socket.closed_with(seconds=3) == 4501
        await stream.rest(seconds=3)


@pytest.mark.parametrize(
    ("scope", "reads", "writes"), [("read", "joined", "forbidden"), ("write", "forbidden", "sent")]
)
async def test_a_key_on_a_socket_keeps_to_its_scopes(
    alice: User, conversation: UUID, scope: str, reads: str, writes: str
) -> None:
    _, secret = await in_thread(key_of, alice, scope)
    async with as_whom(token=secret) as socket:
        await socket.say(type="join", ref="j", conversation=str(conversation))
        await socket.say(type="send", ref="s", conversation=str(conversation), cmid="c", text="Hello")
        answers = [await socket.answer(ref) for ref in "js"]
        assert [answer.get("code") or answer["type"] for answer in answers] == [reads, writes]
