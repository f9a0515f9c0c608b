"""Server-sent events as a transcript: real requests to the ASGI application."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from django.core.asgi import get_asgi_application

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread

application = get_asgi_application()


class Stream:
    """A response of the ASGI application as it comes in."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._rest = b""

    async def take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started.set()
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message.get("body"):
            await self.body.put(message["body"])
        if message["type"] == "http.response.body" and not message.get("more_body"):
            await self.body.put(None)

    async def events(self) -> AsyncIterator[dict[str, str]]:
        """Events as fields, until the stream ends; comments and `retry` too."""
        while (piece := await self.body.get()) is not None:
            self._rest += piece
            while b"\n\n" in self._rest:
                raw, self._rest = self._rest.split(b"\n\n", 1)
                yield dict(line.split(": ", 1) for line in raw.decode().split("\n"))

    async def until(self, type_: str, seconds: float = 5) -> list[dict[str, str]]:
        """The events up to the next of a type."""
        found: list[dict[str, str]] = []
        async with asyncio.timeout(seconds), aclosing(self.events()) as events:  # type: ignore[type-var]
            async for event in events:
                found.append(event)
                if event.get("event") == type_:
                    return found
        raise AssertionError(f"the stream ended without {type_}: {found}")

    async def rest(self, seconds: float = 5) -> list[dict[str, str]]:
        async with asyncio.timeout(seconds):
            return [event async for event in self.events()]


def play(scope: dict[str, Any], inbox: asyncio.Queue[dict[str, Any]], stream: Stream) -> Coroutine[Any, Any, None]:
    """Have a request answered; tests/realtime/test_on_servers.py has a server do it."""
    return application(scope, inbox.get, stream.take)


@asynccontextmanager
async def request(user: User, path: str, *, query: str = "", body: Any = None, **headers: str) -> AsyncIterator[Stream]:
    """A request of `user` to /api/v1/ that asks for a stream; the client goes away at the end."""
    access = (await in_thread(tokens.issue, user))["access"]
    given = {"authorization": f"Bearer {access}", **headers}
    async with visit(path, query=query, body=body, **given) as stream:
        yield stream


@asynccontextmanager
async def visit(path: str, *, query: str = "", body: Any = None, **headers: str) -> AsyncIterator[Stream]:
    """The same of whoever the headers say; of nobody without any."""
    given = {"accept": "text/event-stream", "host": "localhost", **headers}
    data = json.dumps(body).encode() if body is not None else b""
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST" if data else "GET", "scheme": "http",
        "path": f"/api/v1/{path}", "raw_path": f"/api/v1/{path}".encode(), "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
        + [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())] * bool(data),
    }  # fmt: skip
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    inbox.put_nowait({"type": "http.request", "body": data, "more_body": False})
    stream = Stream()
    task = asyncio.create_task(play(scope, inbox, stream))
    try:
        async with asyncio.timeout(5):
            await stream.started.wait()
        yield stream
    finally:
        inbox.put_nowait({"type": "http.disconnect"})
        await asyncio.wait({task}, timeout=5)
        assert task.done()


def frames(events: list[dict[str, str]]) -> list[Any]:
    return [json.loads(event["data"]) for event in events if "data" in event]
