"""People on servers whose database is not the tests' own: all that is known of it comes through the doors."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.support import until
from tests.leaks import PASSWORD

PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """What HTTP said, after `seconds`."""

    status: int
    json: Any
    headers: Any
    seconds: float


class Api:
    """The HTTP API of one server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: Any = None, token: str = "") -> Answer:
        """GET, or POST of a `body`; whatever comes."""
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, json.load(answer), answer.headers, time.monotonic() - begun)
        except urllib.error.HTTPError as error:
            return Answer(error.code, json.loads(error.read()), error.headers, time.monotonic() - begun)

    def stream(self, path: str, token: str) -> tuple[list[Frame], float]:
        """The frames of a stream of server-sent events that ends by itself, after seconds."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        begun = time.monotonic()
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        frames = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        return frames, time.monotonic() - begun

    def call(self, path: str, body: Any = None, token: str = "") -> Any:
        """The JSON of an answer that must be a good one."""
        answer = self.ask(f"api/v1/{path}", body, token)
        assert answer.status < 300, answer
        return answer.json

    def register(self, name: str) -> str:
        """The access token of a new user."""
        token: str = self.call("auth/register/", {"username": name, "password": PASSWORD})["access"]
        return token

    def log(self, conversation: str, token: str) -> list[Frame]:
        found: list[Frame] = []
        after: int | None = 0
        while after is not None:
            page = self.call(f"conversations/{conversation}/events/?after_seq={after}&limit=200", token=token)
            found += page["results"]
            after = page["next"]
        return found


class Caller:
    """A socket whose user asks for one thing after the other, and wants an answer soon."""

    def __init__(self, socket: ClientConnection, token: str, history: History) -> None:
        self._socket = socket
        self._token = token
        self._history = history
        self._asked = self._heard = 0

    async def ask(self, type_: str, *, answers: tuple[str, ...], **fields: Any) -> tuple[Frame, float]:
        """The first frame of one of these types (or `error`), and the seconds that it took."""
        self._asked += 1
        begun = time.monotonic()
        ref = {} if type_ == "hello" else {"ref": self._asked}
        await self._socket.send(json.dumps({"type": type_, **ref, **fields}))
        return await self._hear("error", *answers), time.monotonic() - begun

    async def _hear(self, *types: str) -> Frame:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = json.loads(await self._socket.recv())
                self._heard += 1
                if self._heard % 5 == 0:
                    await self._socket.send(json.dumps({"type": "ack", "n": self._heard}))
                for frame in found if isinstance(found, list) else [found]:
                    if frame["type"] in types:
                        return frame

    async def rest(self, seconds: float) -> None:
        """Ask for nothing, and acknowledge whatever comes: whoever does not is sent away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._socket.recv()
                    self._heard += 1
                    await self._socket.send(json.dumps({"type": "ack", "n": self._heard}))

    async def heartbeats(self, count: int) -> list[float]:
        """Seconds between so many of them."""
        times = []
        for _ in range(count + 1):
            await self._hear("heartbeat")
            times.append(time.monotonic())
        return [later - earlier for earlier, later in pairwise(times)]

    async def hello(self) -> tuple[Frame, float]:
        return await self.ask("hello", answers=("welcome",), v=1, client_id="caller", token=self._token)

    async def join(self, conversation: str) -> tuple[Frame, float]:
        return await self.ask("join", answers=("joined",), conversation=conversation, seq=0)

    async def attach(self, run: str) -> tuple[Frame, float]:
        return await self.ask("attach", answers=("delta",), run=run, offset=0)

    async def say(self, conversation: str, cmid: str, text: str = "Hello") -> tuple[Frame, float]:
        self._history.note("invoke", "caller", conversation, cmid)
        frame, seconds = await self.ask("send", answers=("sent",), conversation=conversation, cmid=cmid, text=text)
        self._history.note(
            "ok" if frame["type"] == "sent" else "info", "caller", conversation, cmid, frame.get("seq", 0)
        )
        return frame, seconds


@dataclass
class People:
    """`clients` of people who are all in all `places`."""

    api: Api
    tokens: list[str]
    places: list[str]
    clients: list[Client]
    history: History

    @classmethod
    async def gather(cls, api: Api, addresses: list[str], *, people: int = 4, places: int = 2) -> Self:
        """New people in new conversations, not connected yet."""
        names = [f"person-{time.monotonic_ns()}-{number}" for number in range(people)]
        tokens = [await asyncio.to_thread(api.register, name) for name in names]
        invited = [{"user": name, "role": "editor"} for name in names[1:]]
        create = partial(api.call, "conversations/", {"members": invited}, tokens[0])
        made = [(await asyncio.to_thread(create))["id"] for _ in range(places)]
        history, named = History(), zip(names, tokens, strict=True)
        clients = [Client(name, token, addresses, history, seed) for seed, (name, token) in enumerate(named)]
        for one in clients:
            for place in made:
                one.enter(place)
        return cls(api, tokens, made, clients, history)

    async def talk(self, seconds: float, *, pause: float = 0.1) -> None:
        """Everybody says something every `pause` seconds."""
        over = time.monotonic() + seconds
        while time.monotonic() < over:
            for number, one in enumerate(self.clients):
                await one.send(self.places[number % len(self.places)], "Hello")
            await asyncio.sleep(pause)

    async def settle(self) -> dict[str, list[Frame]]:
        """Until everything is acknowledged and everybody has it; the logs."""
        await until(lambda: all(one.settled for one in self.clients), seconds=60, what="unacknowledged messages")
        logs = {place: await asyncio.to_thread(self.api.log, place, self.tokens[0]) for place in self.places}
        there = [(one, place) for one in self.clients for place in self.places]
        await until(lambda: all(one.has(place, len(logs[place])) for one, place in there), what="clients behind")
        return logs

    async def check(self) -> dict[str, list[Frame]]:
        """Settle, and see that what clients saw and what the logs hold can both be true; the logs."""
        logs = await self.settle()
        assert violations(self.history, logs) == []
        assert not self.history.of("fail")
        return logs

    def longest_wait(self) -> float:
        """Seconds from a send to the first answer to it, at most."""
        answered: dict[str, float] = {}
        for operation in (*self.history.of("ok"), *self.history.of("info")):
            answered[operation.cmid] = min(operation.at, answered.get(operation.cmid, operation.at))
        return max(answered[sent.cmid] - sent.at for sent in self.history.of("invoke"))

    @asynccontextmanager
    async def caller(self, address: str) -> AsyncIterator[Caller]:
        """A further socket of the first of them."""
        async with connect(address, ping_interval=None, close_timeout=1) as socket:
            yield Caller(socket, self.tokens[0], self.history)
