"""Connections of the Python client: a WebSocket, or server-sent events and POST where there is no WebSocket."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

import httpx2 as httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from realtime.client_posts import OPEN_SECONDS, answer_to, as_bearer, http_client, problem
from realtime.client_room import Frame, Room

# The largest frame that the server takes (PROTOCOL.md section 4).
FRAME_MAX_BYTES = 64 * 1024
ACK_SECONDS = 1.0
# Between two looks at the streams that are followed.
LOOK_SECONDS = 0.5
TOKEN_EXPIRED, UNAUTHENTICATED = 4004, 4501


class Blocked(Exception):
    """A WebSocket cannot be had here; plain HTTP may work."""


class Owner(Protocol):
    """What a link needs of the client."""

    rooms: dict[str, Room]

    def hello(self) -> Frame: ...

    def welcomed(self, frame: Frame) -> None: ...

    def receive(self, frame: Frame) -> None: ...


class WebSocketLink:
    """One WebSocket, from `hello` to its end."""

    def __init__(self, base: str, owner: Owner) -> None:
        self._base = base
        self._owner = owner
        self._posts: set[asyncio.Task[None]] = set()
        self._socket: ClientConnection | None = None
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._received = self._acked = 0
        self._window = 20

    def say(self, frame: Frame) -> None:
        """A message that is too large for a frame goes as a request."""
        text = json.dumps(frame)
        if frame["type"] != "send" or len(text) <= FRAME_MAX_BYTES:
            return self._outgoing.put_nowait(text)
        post = asyncio.create_task(self._post(frame))
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)

    async def _post(self, frame: Frame) -> None:
        async with http_client(self._base, self._owner.hello()["token"], self._owner.receive) as http:
            self._owner.receive(await answer_to(http, frame))

    async def run(self) -> int | None:
        """Until the connection ends; its close code, None where it was cut. Raises Blocked, OSError."""
        url = self._base.replace("http", "ws", 1) + "/ws/"
        try:
            self._socket = await connect(url, open_timeout=OPEN_SECONDS, ping_interval=None, close_timeout=1)
        except (InvalidHandshake, InvalidMessage) as error:
            raise Blocked(str(error)) from error
        try:
            await self._visit(self._socket)
        finally:
            # Whoever is cancelled while saying goodbye must not leave a connection behind.
            self._socket.transport.abort()
        code = self._socket.close_code
        return code if code and code >= 4000 else None

    async def _visit(self, socket: ClientConnection) -> None:
        async with socket, asyncio.TaskGroup() as group:
            await socket.send(json.dumps(self._owner.hello()))
            helpers = [group.create_task(self._write()), group.create_task(self._acknowledge())]
            with suppress(ConnectionClosed, TimeoutError):
                await self._read(socket)
            for helper in helpers:
                helper.cancel()

    async def _read(self, socket: ClientConnection) -> None:
        silence = float(OPEN_SECONDS)
        while True:
            async with asyncio.timeout(silence):
                message = await socket.recv()
            self._received += 1
            found = json.loads(message)
            for frame in found if isinstance(found, list) else [found]:
                if frame["type"] == "welcome":
                    silence = frame["timeout_ms"] / 1000
                    self._window = frame["ack_window"]
                self._receive(frame)
            if self._received - self._acked >= self._window // 2:
                self._ack()

    def _receive(self, frame: Frame) -> None:
        if frame["type"] == "welcome":
            self._owner.welcomed(frame)
        elif frame["type"] == "heartbeat":
            self.say({"type": "pong", "n": frame["n"]})
        else:
            self._owner.receive(frame)

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while self._socket:
                await self._socket.send(await self._outgoing.get())

    async def _acknowledge(self) -> None:
        while True:
            await asyncio.sleep(ACK_SECONDS)
            if self._received > self._acked:
                self._ack()

    def _ack(self) -> None:
        self._acked = self._received
        self.say({"type": "ack", "n": self._received})


class EventStreamLink:
    """The same log by `GET …/events/` as server-sent events, one stream a room, and POST (PROTOCOL.md section 5).

    Ends after `seconds`, so that a WebSocket is tried again.
    """

    def __init__(self, base: str, token: str, owner: Owner, seconds: float) -> None:
        self._owner = owner
        self._until = time.monotonic() + seconds
        self._http = http_client(base, token, owner.receive)
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: dict[str, asyncio.Task[None]] = {}
        self._expired = False

    def say(self, frame: Frame) -> None:
        """Only what HTTP can do: `send`, `stop`, `join`, `leave`, and `auth`, from the next request on."""
        if frame["type"] == "join":
            self._follow(self._owner.rooms[frame["conversation"]])
        elif frame["type"] == "leave":
            self._leave(frame["conversation"])
        elif frame["type"] == "auth":
            self._http.headers.update(as_bearer(frame["token"]))
        elif frame["type"] in ("send", "stop"):
            task = asyncio.create_task(self._post(frame))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def run(self) -> int | None:
        """Until a stream ends or `seconds` are over; the code with which a socket would be closed, where that is final.

        Raises OSError where the server is not reached.
        """
        try:
            (await self._http.get("/livez")).raise_for_status()
            self._owner.welcomed({"type": "welcome", "session": None, "resumed": []})
            for room in self._owner.rooms.values():
                self._follow(room)
            await self._wait()
        except ConnectionError:
            if not self._expired:
                raise
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error
        finally:
            for task in (*self._tasks, *self._following.values()):
                task.cancel()
            await self._http.aclose()
        return UNAUTHENTICATED if self._expired else None

    async def _wait(self) -> None:
        while (left := self._until - time.monotonic()) > 0:
            wait = asyncio.create_task(asyncio.sleep(min(left, LOOK_SECONDS)))
            done, _ = await asyncio.wait([wait, *self._following.values()], return_when=asyncio.FIRST_COMPLETED)
            wait.cancel()
            for task in done:
                if not task.cancelled():  # a room was left
                    task.result()
            # Whoever was refused is gone for good, or its owner asks again.
            self._following = {id_: task for id_, task in self._following.items() if not task.done()}

    def _leave(self, conversation: str) -> None:
        if stream := self._following.pop(conversation, None):
            stream.cancel()

    def _follow(self, room: Room) -> None:
        known = self._following.get(room.id)
        if known is None or known.done():
            self._following[room.id] = asyncio.create_task(self._stream(room))

    async def _stream(self, room: Room) -> None:
        """Until it is refused; a cursor that cannot be replayed goes on from the snapshot. Raises ConnectionError."""
        while (refusal := await self._read(room))["code"] == "resync_required":
            resync = {name: refusal[name] for name in ("epoch", "reason", "snapshot", "head")}
            self._owner.receive({"type": "resync", "conversation": room.id, **resync})
        self._owner.receive({**refusal, "ref": f"join:{room.id}"})

    async def _read(self, room: Room) -> Frame:
        """Follow a room; why that is refused. Raises ConnectionError where it was not, and ended."""
        headers = {"Accept": "text/event-stream"}
        if room.seq is not None:
            headers["Last-Event-ID"] = f"{room.epoch}:{room.seq}"
        path = f"/api/v1/conversations/{room.id}/events/"
        async with self._http.stream("GET", path, headers=headers) as answer:
            if answer.status_code != 200:
                await answer.aread()
                return problem(answer)
            async for line in _lines(answer):
                if line.startswith("id:"):
                    room.epoch = line[3:].strip().rpartition(":")[0]
                elif line.startswith("data:"):
                    frame = json.loads(line[5:])
                    self._expired = self._expired or frame["type"] == "session:expired"
                    self._owner.receive(frame)
        raise ConnectionError("the stream ended")

    async def _post(self, frame: Frame) -> None:
        self._owner.receive(await answer_to(self._http, frame))


async def _lines(answer: httpx.Response) -> AsyncIterator[str]:
    """Of an event stream, as chatproject/lib/lines.py has them, which this client does without. `aiter_lines` takes
    U+2028 and the like for ends, too, which people write."""
    begun: list[str] = []
    async for text in answer.aiter_text():
        first, *more = text.split("\n")
        begun.append(first)
        for line in more:
            yield "".join(begun)
            begun = [line]
