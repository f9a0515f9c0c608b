"""What one person does on the chat page, and how long everything takes; for bench/locustfile.py."""

import asyncio
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx

from bench.engine.requests import Requests
from bench.engine.tally import STAMP_DIGITS, microseconds
from realtime.client import Client, Refused

# Seconds between two messages of one person, and between two losses of the connection.
TALK_SECONDS = 30.0, 90.0
DROP_SECONDS = 45.0, 120.0
TYPING_SECONDS = 2.0
# How often the page looks whether there is news elsewhere (list.js).
LIST_SECONDS = 30.0
SAYING = "is what I wanted to say about the invoice, the ship and the oranges; "
ENDS = ("tomorrow more", "more later", "that is all", "what do you think?", "**please** answer")
STAMPED = re.compile(rf"([0-9a-f]{{{STAMP_DIGITS}}}) {SAYING}")


@dataclass(frozen=True)
class Person:
    """`password` is empty for those who are logged in already, with the cookie and the token."""

    conversation: str
    token: str
    cookie: str
    username: str
    password: str


@dataclass(frozen=True)
class Seen:
    """Something that was done, at a time in seconds: how long it took in milliseconds, or why it failed."""

    kind: str
    ms: float = 0.0
    error: str | None = None


class Life:
    """From logging in until it is cancelled."""

    def __init__(self, person: Person, host: str, seen: Callable[[Seen], None]) -> None:
        self._person, self._host, self._seen = person, host, seen
        self._chance = random.Random(person.username)
        port = urlsplit(host).port or 80
        self._page = Requests(port, person.cookie, person.conversation, self._answered)
        # Since when it is away from the conversation, why, and whether it was let in again.
        self._away: tuple[str, float] | None = None
        self._joined = False

    async def live(self) -> None:
        try:
            token = await self._log_in()
            await self._page.ask("list page", "/list/")
            await self._page.ask("conversation page", self._page.base)
            async with Client(self._host, token=token, transport="websocket") as client:
                await self._talk_and_listen(client)
        except (Refused, OSError, httpx.HTTPError, ExceptionGroup) as error:
            self._seen(Seen("go on", error=repr(error)))
        finally:
            self._page.close()

    async def _log_in(self) -> str:
        if not self._person.password:
            return self._person.token
        began = time.monotonic()
        token = await log_in(self._host, self._person)
        self._answered("log in", _since(began))
        return token

    async def _talk_and_listen(self, client: Client) -> None:
        self._leave("join")
        self._room = client.join(self._person.conversation)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            group.create_task(self._talk())
            group.create_task(self._lose_connections(client))
            group.create_task(self._look_at_the_list())

    async def _listen(self) -> None:
        async for frame in self._room:
            self._joined = self._joined or frame["type"] == "joined"
            if self._away:
                self._maybe_back(*self._away)
            elif frame["type"] == "message:new":
                self._read(frame)
        raise self._room.error or ConnectionError("the client ended")

    def _read(self, event: dict[str, Any]) -> None:
        if stamped := STAMPED.match(event["data"]["text"]):
            self._answered("sync", (microseconds() - int(stamped[1], 16)) / 1000)
        self._page.said(event)
        self._room.read(event["seq"])

    def _maybe_back(self, kind: str, since: float) -> None:
        """Whoever is let in and has everything is back."""
        if self._joined and (self._room.seq or 0) >= self._room.head:
            self._away = None
            self._answered(kind, (time.monotonic() - since) * 1000)

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*TALK_SECONDS))
            self._room.typing(on=True)
            await asyncio.sleep(TYPING_SECONDS)
            began, lost = time.monotonic(), self._away
            # What is said while there is no connection takes as long as that, and is not measured by others.
            text = SAYING + self._chance.choice(ENDS)
            await self._room.send(f"This {text}" if lost else f"{microseconds():012x} {text}")
            self._answered("send without a connection" if lost or self._away else "send", _since(began))

    async def _lose_connections(self, client: Client) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*DROP_SECONDS))
            if self._away is None:
                self._leave("recovery")
                self._seen(Seen("drop"))
                # As if a cable was cut: neither side says goodbye.
                client._link._socket.transport.abort()  # type: ignore[union-attr]

    async def _look_at_the_list(self) -> None:
        while True:
            await asyncio.sleep(LIST_SECONDS)
            self._page.ask("list page", "/list/")

    def _leave(self, kind: str) -> None:
        self._away, self._joined = (kind, time.monotonic()), False

    def _answered(self, kind: str, ms: float | None) -> None:
        self._seen(Seen(kind, error="failed") if ms is None else Seen(kind, ms))


async def log_in(host: str, person: Person) -> str:
    """The access token for a password. Raises HTTPError."""
    login = {"username": person.username, "password": person.password}
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{host}/api/v1/auth/token/", json=login)
    answer.raise_for_status()
    return str(answer.json()["access"])


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000
