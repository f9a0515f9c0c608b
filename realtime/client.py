"""The reconnecting client for Python (PROTOCOL.md section 4). Needs neither Django nor the server's code.

async with Client("https://chat.example.com", token=access) as client:
    room = client.join(conversation)
    await room.send("Hello")            # returns once it is stored
    async for frame in room:            # events each once and in order, deltas of running answers
        ...
"""

import asyncio
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Literal, Self

from realtime.client_links import TOKEN_EXPIRED, Blocked, EventStreamLink, WebSocketLink
from realtime.client_room import Frame, Refused, Room

__all__ = ["Client", "Refused", "Room", "State", "wait_before"]

State = Literal["idle", "connecting", "online", "waiting", "offline", "closed"]
Token = str | Callable[[], Awaitable[str]]
# After this many tries in vain the client says `offline` (and goes on).
TRIES = 5
FIRST_SECONDS, LONGEST_SECONDS, SPREAD_SECONDS = 1.0, 30.0, 0.5
# A connection that lived this long was a good one: the next wait is the first again.
STABLE_SECONDS = 5.0
# `retry_after_ms` is exceeded by such a part of it at most.
JITTER = 0.2
# How long server-sent events are used before a WebSocket is tried again.
FALLBACK_SECONDS = 60.0
DRAIN, FINAL = 4001, 4500


def wait_before(attempt: int, chance: random.Random) -> float:
    """Seconds before try number `attempt` (1 = the first after a loss): 1, 2, 4, 8, 16, each ± 0.5; then a random
    part of 30, so that a thousand clients do not come at once (PROTOCOL.md, "Reconnecting client")."""
    if attempt > TRIES:
        return chance.uniform(0, LONGEST_SECONDS)
    wait = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (attempt - 1))
    return wait + chance.uniform(-SPREAD_SECONDS, SPREAD_SECONDS)


class Client:
    """Stays connected until `close` or a final close code.

    `url` is the product's address, or those of several servers of it: every try goes to one of them at random.
    `token` is an access token, or what gives one (asked again when it has expired). `on_state(state)` is told of
    every change of `state`, `on_notice(frame)` of what concerns no conversation (`drain`, `session:expired`, errors).
    `wait(attempt, chance)` says how many seconds pass before try number `attempt`.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        token: Token,
        client_id: str | None = None,
        transport: Literal["auto", "websocket", "sse"] = "auto",
        on_state: Callable[[State], None] | None = None,
        on_notice: Callable[[Frame], None] | None = None,
        chance: random.Random | None = None,
        wait: Callable[[int, random.Random], float] = wait_before,
    ) -> None:
        self.state: State = "idle"
        self.rooms: dict[str, Room] = {}
        self.user: Frame | None = None
        self.client_id = client_id or str(uuid.uuid4())
        self.close_code: int | None = None
        self.urls = [url] if isinstance(url, str) else list(url)
        self._given, self._token = token, token if isinstance(token, str) else ""
        self._transport = transport
        self._on_state, self._on_notice = on_state, on_notice
        self._chance, self._wait = chance or random.SystemRandom(), wait
        self._session: str | None = None
        self._link: WebSocketLink | EventStreamLink | None = None
        self._welcomed_at: float | None = None
        self._not_before = 0.0
        # The server is well, and said when it is our turn.
        self._invited = False
        self._hurry = asyncio.Event()
        self._requests: dict[str, asyncio.Future[Frame]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def connect(self) -> None:
        """Connect and stay connected. While the client waits for the next try: try now."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._stay())
        self._hurry.set()

    async def close(self) -> None:
        """End the connection. What was not acknowledged fails with ConnectionError."""
        if self._task:
            self._task.cancel()
            # Not awaited itself: whoever cancels the caller meanwhile means the caller.
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()
        self._end(None)

    def join(self, conversation: str, *, epoch: str | None = None, seq: int | None = None) -> Room:
        """Follow a conversation: after a cursor, or from its newest events. Twice gives the same room."""
        room = self.rooms.get(conversation)
        if room is None:
            room = self.rooms[conversation] = Room(conversation, self._say, epoch, seq)
            self._join(room)
        return room

    async def leave(self, conversation: str) -> None:
        """Follow a conversation no more."""
        room = self.rooms.pop(conversation)
        self._say({"type": "leave", "conversation": conversation})
        room.close()

    async def stop(self, run: str) -> None:
        """End a run. Raises Refused."""
        await self.ask({"type": "stop", "run": run})

    async def ask(self, frame: Frame) -> Frame:
        """Say a frame that is answered by `ref`; the answer. Raises Refused, ConnectionError where it was lost."""
        ref = str(uuid.uuid4())
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._requests[ref] = answer
        self._say({**frame, "ref": ref})
        return await answer

    # ---- the connection

    async def _stay(self) -> None:
        attempt = 0
        while True:
            self._become("connecting" if attempt <= TRIES else "offline")
            code = await self._visit()
            if code is not None and code >= FINAL:
                return self._end(code)
            stable = self._welcomed_at and time.monotonic() - self._welcomed_at >= STABLE_SECONDS
            attempt = 0 if code == DRAIN or self._invited else 1 if stable else attempt + 1
            self._invited = False
            await self._pause(attempt)

    async def _visit(self) -> int | None:
        """One connection; its close code."""
        self._welcomed_at = None
        code = None
        try:
            if callable(self._given) and not self._token:
                self._token = await self._given()
            code = await self._connect_somehow()
        except (OSError, TimeoutError, ExceptionGroup):
            pass
        self._link = None
        self._fail_requests()
        if code == TOKEN_EXPIRED and callable(self._given):
            self._token = ""
        return code

    async def _connect_somehow(self) -> int | None:
        base = self._chance.choice(self.urls).rstrip("/")
        if self._transport != "sse":
            try:
                link = self._link = WebSocketLink(base, self)
                return await link.run()
            except Blocked:
                if self._transport == "websocket":
                    raise ConnectionError("no WebSocket can be had") from None
        seconds = FALLBACK_SECONDS if self._transport == "auto" else float("inf")
        stream = self._link = EventStreamLink(base, self._token, self, seconds)
        return await stream.run()

    async def _pause(self, attempt: int) -> None:
        self._become("waiting" if attempt <= TRIES else "offline")
        self._hurry.clear()
        usual = self._wait(attempt, self._chance) if attempt else 0.0
        wait = max(usual, self._not_before - time.monotonic())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), max(0.0, wait))

    def _end(self, code: int | None) -> None:
        self.close_code = code
        for room in self.rooms.values():
            room.close()
        self._fail_requests()
        self._become("closed")

    def _fail_requests(self) -> None:
        requests, self._requests = self._requests, {}
        for answer in requests.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the connection was lost"))

    def _become(self, state: State) -> None:
        if state != self.state:
            self.state = state
            if self._on_state:
                self._on_state(state)

    # ---- what links call

    def hello(self) -> Frame:
        """The first frame of a connection."""
        points = [room.where() for room in self.rooms.values() if room.seq is not None]
        hello: Frame = {"type": "hello", "v": 1, "client_id": self.client_id, "token": self._token, "resume": points}
        return {**hello, "session": self._session} if self._session else hello

    def welcomed(self, frame: Frame) -> None:
        """The server knows who this is: go on in every conversation, say again what is unsent."""
        self._welcomed_at = time.monotonic()
        self.user, self._session = frame.get("user"), frame["session"]
        self._become("online")
        resumed = {entry["conversation"]: entry for entry in frame["resumed"]}
        for room in list(self.rooms.values()):
            entry = resumed.get(room.id)
            if entry is None or (not entry["ok"] and entry["epoch"] is None):
                self._join(room)  # where that cannot be, its answer says why, and whether to try again
            room.say_unsent()

    def receive(self, frame: Frame) -> None:
        """One frame from the server."""
        if frame["type"] == "error":
            return self._failed(frame)
        ref = frame.get("ref")
        if ref in self._requests:
            self._requests.pop(ref).set_result(frame)
        room = self.rooms.get(frame.get("conversation", ""))
        if frame["type"] == "left" and room:
            if frame["reason"] == "asked":
                return None  # by `leave`; this room was joined again since
            return self._close_room(room, {"code": "forbidden", "message": f"left: {frame['reason']}"})
        if room:
            return room.receive(frame)
        return self._notice(frame)

    def _notice(self, frame: Frame) -> None:
        if frame["type"] == "auth:renewed":
            self._token = frame["access"]
            self._say({"type": "auth", "token": self._token})
        elif frame["type"] == "drain":
            self._not_before = time.monotonic() + frame["retry_after_ms"] / 1000
        if self._on_notice:
            self._on_notice(frame)

    def _failed(self, error: Frame) -> None:
        """Raises ConnectionError where the server cannot even say hello now."""
        ref, delay = str(error.get("ref", "")), error.get("retry_after_ms", 1000) / 1000
        if self._welcomed_at is None and error["retryable"]:
            self._invited = error["code"] == "rate_limited" and "retry_after_ms" in error
            self._not_before = time.monotonic() + self._later(delay)
            raise ConnectionError(error["code"])
        if ref in self._requests:
            self._requests.pop(ref).set_exception(Refused(error))
        elif ref.startswith("join:"):
            self._join_failed(ref.removeprefix("join:"), error, delay)
        elif any(room.refused(ref, error) for room in self.rooms.values()) and error["retryable"]:
            asyncio.get_running_loop().call_later(self._later(delay), self._say_again, ref)
        elif self._on_notice:
            self._on_notice(error)

    def _later(self, seconds: float) -> float:
        """Not sooner than the server said, and not all at the same moment."""
        return seconds * self._chance.uniform(1, 1 + JITTER)

    def _join_failed(self, conversation: str, error: Frame, delay: float) -> None:
        room = self.rooms.get(conversation)
        if room and not error["retryable"]:
            self._close_room(room, error)
        elif room:
            asyncio.get_running_loop().call_later(self._later(delay), self._join_again, room)

    def _join_again(self, room: Room) -> None:
        if self.rooms.get(room.id) is room:
            self._join(room)

    def _say_again(self, cmid: str) -> None:
        for room in self.rooms.values():
            if cmid in room.unsent:
                self._say(room.unsent[cmid][0])

    def _close_room(self, room: Room, error: Frame) -> None:
        self.rooms.pop(room.id, None)
        room.close(Refused(error))

    def _join(self, room: Room) -> None:
        where = {name: value for name, value in room.where().items() if name != "runs"}
        self._say({"type": "join", "ref": f"join:{room.id}", **where})

    def _say(self, frame: Frame) -> None:
        if self._link and self.state == "online":
            self._link.say(frame)
