"""A WebSocket to a real server, spoken by hand: frames good and bad, and what comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from tests.faults.checker import Frame

PATIENCE = 10.0
ACK_EVERY = 10


class Line:
    """One connection; acknowledges as it should. Everything that came in stays in `heard`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[Frame] = []
        self.welcome: Frame = {}
        self._unread: list[Frame] = []
        self._messages = 0

    async def say(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def hear(self, *types: str, seconds: float = PATIENCE) -> Frame:
        """The next frame, or the next of some types. Raises ConnectionClosed, TimeoutError."""
        async with asyncio.timeout(seconds):
            while True:
                while not self._unread:
                    await self._read()
                frame = self._unread.pop(0)
                if not types or frame["type"] in types:
                    return frame

    async def ask(self, **frame: Any) -> Frame:
        """Say a frame that has a `ref`; what answers it."""
        await self.say(**frame)
        while (answer := await self.hear()).get("ref") != frame["ref"]:
            pass
        return answer

    async def closed(self, seconds: float = PATIENCE) -> int:
        """Listen until the server closes; the code."""
        async with asyncio.timeout(seconds):
            with suppress(ConnectionClosed):
                while True:
                    await self._read()
        return self.socket.close_code or 0

    async def _read(self) -> None:
        found = json.loads(await self.socket.recv())
        frames = found if isinstance(found, list) else [found]
        self._unread += frames
        self.heard += frames
        self._messages += 1
        if self._messages % ACK_EVERY == 0:
            await self.say(type="ack", n=self._messages)


@asynccontextmanager
async def dial(
    address: str, user: User | None = None, headers: dict[str, str] | None = None, **hello: Any
) -> AsyncIterator[Line]:
    """A connection; with a `user`, or something else in `hello` that says who this is, a welcomed one."""
    async with connect(
        address, close_timeout=1, ping_interval=None, max_queue=None, additional_headers=headers
    ) as socket:
        line = Line(socket)
        if user:
            hello["token"] = (await in_thread(tokens.issue, user))["access"]
        if hello:
            await line.say(**{"type": "hello", "v": 1, "client_id": "by hand", **hello})
            line.welcome = await line.hear("welcome")
        yield line
