"""Logins that end while everything is open, on real servers, with Redis and without: within two seconds it is over."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx2 as httpx
import pytest
from django.test import Client as Browser
from django.test import override_settings

from accounts.models import User
from accounts.services import apikeys, tickets, tokens, users
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import selectors
from tests.faults.byhand import Line, dial
from tests.faults.checker import History, violations
from tests.faults.client import Client
from tests.faults.cluster import Cluster
from tests.faults.support import connected, log_of, place_of, until, until_stored
from tests.leaks import PASSWORD

# Seconds within which everything of a login is over.
SOON = 2.0
# More than lies between a server and a client that does not read.
FILE = 20 * 1024 * 1024
NEW_PASSWORD = "another pass phrase 12"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two servers; no worker, so that runs stay queued and who waits for them waits."""
    folder: Path = tmp_path_factory.mktemp("logins")
    with Cluster(folder, webs=2, workers=0) as running:
        yield running


@asynccontextmanager
async def redis_of(running: Cluster, state: str) -> AsyncIterator[None]:
    if state == "without Redis":
        running.redis.stop()
    try:
        yield
    finally:
        if state == "without Redis":
            running.redis.start()


class Open:
    """Everything that can be open by one login, spread over two servers: sockets by token and by ticket, a stream of
    a conversation and of all of them, a request that waits for an answer."""

    def __init__(self, running: Cluster, access: str, place: UUID) -> None:
        self._running, self._place, self._head = running, place, 1
        self._bearer = {"Authorization": f"Bearer {access}"}
        self._access = access
        self._stack = AsyncExitStack()
        self.lines: list[Line] = []
        self.reading: list[asyncio.Task[int]] = []

    async def __aenter__(self) -> "Open":
        ticket = await in_thread(lambda: tickets.issue(tokens.identify(self._access)))
        first, second = self._running.addresses
        for dialled in (dial(first, token=self._access), dial(second, ticket=ticket)):
            self.lines.append(await self._stack.enter_async_context(dialled))
        for web, path in zip(self._running.webs, (f"conversations/{self._place}/events/", "stream/"), strict=True):
            self.reading.append(await self._read(f"{web.url}api/v1/{path}"))
        self.reading.append(asyncio.create_task(self._wait()))
        await until_stored(lambda: selectors.head(self._place)[1] > self._head)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.reading:
            task.cancel()
        await self._stack.aclose()

    async def _read(self, url: str) -> "asyncio.Task[int]":
        http = await self._stack.enter_async_context(httpx.AsyncClient(timeout=60))
        streaming = {**self._bearer, "Accept": "text/event-stream"}
        answer = await self._stack.enter_async_context(http.stream("GET", url, headers=streaming))
        assert answer.status_code == 200

        async def to_its_end() -> int:
            async for _ in answer.aiter_bytes():
                pass
            return answer.status_code

        return asyncio.create_task(to_its_end())

    async def _wait(self) -> int:
        url = f"{self._running.webs[0].url}api/v1/conversations/{self._place}/messages/?wait=50"
        body = {"text": "Well?", "assistant": "guide", "on_busy": "enqueue"}
        async with httpx.AsyncClient(timeout=60) as http:
            return (await http.post(url, json=body, headers=self._bearer)).status_code

    async def is_over(self) -> None:
        """All of it ends in time."""
        async with asyncio.timeout(SOON):
            codes = await asyncio.gather(*(line.closed() for line in self.lines))
            statuses = await asyncio.gather(*self.reading)
        assert (codes, statuses) == ([4501, 4501], [200, 200, 401])
        async with httpx.AsyncClient() as http:
            for web in self._running.webs:
                assert (await http.get(f"{web.url}api/v1/me/", headers=self._bearer)).status_code == 401


def revoke(user: User, pair: dict[str, str]) -> None:
    tokens.revoke(pair["refresh"])


def reuse(user: User, pair: dict[str, str]) -> None:
    tokens.renew(pair["refresh"])
    with pytest.raises(Problem, match="unauthenticated"):
        tokens.renew(pair["refresh"])


def change_password(user: User, pair: dict[str, str]) -> None:
    """On the page, from another browser."""
    digits = new_id().hex
    browser = Browser(REMOTE_ADDR=f"fd00:{digits[-12:-8]}:{digits[-8:-4]}::1")
    browser.post("/accounts/login/", {"login": user.username, "password": PASSWORD})
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert browser.post("/accounts/password/change/", form).status_code == 302


def ban(user: User, pair: dict[str, str]) -> None:
    user.is_active = False
    users.save_as_staff(user=user, changed=["is_active"])


@pytest.mark.parametrize("redis", ["with Redis", "without Redis"])
@pytest.mark.parametrize("end", [revoke, reuse, change_password, ban])
async def test_it_is_over_within_two_seconds(
    alice: User, running: Cluster, end: Callable[[User, dict[str, str]], None], redis: str
) -> None:
    pair, place = await in_thread(tokens.issue, alice), await place_of(alice)
    async with redis_of(running, redis), Open(running, pair["access"], place) as everything:
        await in_thread(end, alice, pair)
        await everything.is_over()


async def test_a_user_who_is_deleted(mallory: User, running: Cluster) -> None:
    """Who owns nothing can be; their row is gone, and so is what was open."""
    async with dial(running.addresses[0], mallory) as line, dial(running.addresses[1], mallory) as other:
        begun = time.monotonic()
        await in_thread(mallory.delete)
        assert [await line.closed(), await other.closed()] == [4501, 4501]
        assert time.monotonic() - begun < SOON


@pytest.mark.parametrize("redis", ["with Redis", "without Redis"])
async def test_a_browser_that_logs_out(alice: User, running: Cluster, redis: str) -> None:
    """Its sockets end on both servers; another browser's and a program's go on."""
    (cookie, out), (kept, _) = await in_thread(_browser, alice), await in_thread(_browser, alice)
    async with redis_of(running, redis), AsyncExitStack() as stack:
        mine = [await _by_cookie(stack, address, cookie) for address in running.addresses]
        others = await _by_cookie(stack, running.addresses[0], kept)
        program = await stack.enter_async_context(dial(running.addresses[1], alice))
        begun = time.monotonic()
        await in_thread(out)
        assert [await line.closed() for line in mine] == [4501, 4501]
        assert time.monotonic() - begun < SOON
        for line in (others, program):
            assert (await line.ask(type="leave", ref="l", conversation=str(new_id())))["type"] == "ok"


def _browser(user: User) -> tuple[str, Callable[[], object]]:
    """The cookie of a browser that is logged in, and how to log it out."""
    browser = Browser()
    browser.force_login(user)
    return browser.cookies["sessionid"].value, partial(browser.post, "/accounts/logout/")


async def _by_cookie(stack: AsyncExitStack, address: str, cookie: str) -> Line:
    origin = address.replace("ws", "http", 1).removesuffix("/ws/")
    headers = {"Cookie": f"sessionid={cookie}", "Origin": origin}
    return await stack.enter_async_context(dial(address, headers=headers, resume=[]))


async def test_a_key_that_is_revoked(alice: User, running: Cluster) -> None:
    key, secret = await in_thread(lambda: apikeys.create(user=alice, name="Robot", scopes=["read"]))
    async with dial(running.addresses[0], token=secret) as line, dial(running.addresses[1], token=secret) as other:
        await in_thread(partial(apikeys.revoke, key=key.id, actor=alice))
        async with asyncio.timeout(SOON):
            assert [await line.closed(), await other.closed()] == [4501, 4501]


@pytest.mark.parametrize("end", [revoke, ban])
async def test_a_download_breaks_off(
    alice: User, conversation: UUID, running: Cluster, end: Callable[[User, dict[str, str]], None]
) -> None:
    """Of what somebody reads slowly, nothing is sent that was not on its way; and it does not look whole."""
    pair = await in_thread(tokens.issue, alice)
    headers, url = {"Authorization": f"Bearer {pair['access']}"}, f"{running.webs[0].url}api/v1/files/"
    async with httpx.AsyncClient(timeout=60, headers=headers) as http:
        file = {"file": ("a.bin", bytes(FILE))}
        made = (await http.post(url, data={"conversation": str(conversation)}, files=file)).json()
        async with http.stream("GET", f"{url}{made['id']}/") as answer:
            pieces = answer.aiter_raw()
            await anext(pieces)
            await in_thread(end, alice, pair)
            await asyncio.sleep(1)  # the login is looked at once a second
            with pytest.raises(httpx.RemoteProtocolError):
                [piece async for piece in pieces]


# --- Tokens that expire -----------------------------------------------------------------------------------

SHORT = {"ACCESS_TOKEN_SECONDS": "5", "TOKEN_GRACE_SECONDS": "2"}


async def test_a_token_expires_while_connected(
    alice: User, conversation: UUID, cluster: Callable[..., Cluster]
) -> None:
    """The product's client takes the new one each time and is never cut off; who takes none is closed with 4004 in
    the end, and goes on at its cursor with the token that it was offered."""
    history = History()
    async with cluster(webs=1, **SHORT) as running:
        address = running.addresses[0]
        alices = Client(alice.username, await in_thread(_short, alice), [address], history, 1)
        alices.enter(str(conversation))
        async with connected(alices), dial(address, token=await in_thread(_short, alice)) as line:
            epoch = (await line.ask(type="join", ref="j", conversation=str(conversation), seq=0))["epoch"]
            begun = time.monotonic()
            renewed = await line.hear("auth:renewed")
            assert time.monotonic() - begun < 5, "before it expires"
            assert await line.closed(20) == 4004
            await alices.send(str(conversation), "Meanwhile")
            await until(lambda: alices.settled and alices.has(str(conversation), 3))
            point = {"conversation": str(conversation), "epoch": epoch, "seq": 2}
            async with dial(address, token=renewed["access"], resume=[point]) as again:
                assert [entry["ok"] for entry in again.welcome["resumed"]] == [True]
                assert [event["seq"] for event in (await again.hear("catchup"))["events"]] == [3]
            assert alices.connections == 1, "it was never cut off"
    assert violations(history, {str(conversation): await log_of(conversation)}) == []


@override_settings(ACCESS_TOKEN_SECONDS=5)
def _short(user: User) -> str:
    """An access token as these servers make them."""
    return tokens.issue(user)["access"]
