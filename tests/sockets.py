"""A socket as a transcript: the real ASGI application in an async context, nothing patched.

The same transcripts are heard from real servers: tests/realtime/test_servers.py has `line` lead there.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.testing import WebsocketCommunicator
from django.conf import settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from realtime.routing import websocket

Frame = dict[str, Any]
PATIENCE = 5.0


def line() -> Any:
    """A connection that is not open yet."""
    return WebsocketCommunicator(websocket, "/ws/")


class Socket:
    """One connection; keeps what was not asked for yet, and acknowledges as a good client does."""

    def __init__(self, communicator: Any, *, acks: bool = True) -> None:
        self._communicator = communicator
        self._frames: deque[Frame] = deque()
        self._messages = 0
        self._acks = acks
        self.welcome: Frame = {}

    async def say(self, **frame: Any) -> None:
        """Send one frame."""
        await self._communicator.send_to(text_data=json.dumps(frame))

    async def say_raw(self, text: str | None = None, data: bytes | None = None) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text, "bytes": data})

    async def hear(self, type_: str | None = None, *, seconds: float = PATIENCE) -> Frame:
        """The next frame, or the next of a type (those before it are dropped)."""
        async with asyncio.timeout(seconds):
            while True:
                while not self._frames:
                    await self._read()
                frame = self._frames.popleft()
                if type_ in (None, frame["type"]):
                    return frame

    async def answer(self, ref: str) -> Frame:
        """The answer to the frame with this `ref`; what comes before it is still to be heard."""
        before: list[Frame] = []
        while (frame := await self.hear()).get("ref") != ref:
            before.append(frame)
        self._frames.extendleft(reversed(before))
        return frame

    async def hears_nothing(self, seconds: float = 0.3) -> bool:
        """Whether no frame comes for a while."""
        return not self._frames and await self._communicator.receive_nothing(seconds)

    async def closed_with(self, *, seconds: float = PATIENCE) -> int:
        """Wait for the server to close; the code."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self._communicator.receive_output(seconds)
                if message["type"] == "websocket.close":
                    return int(message["code"])

    async def disconnect(self) -> None:
        await self._communicator.disconnect()

    async def _read(self) -> None:
        message = await self._communicator.receive_output(PATIENCE)
        assert message["type"] == "websocket.send", f"the server closed with {message.get('code')}"
        frames = json.loads(message["text"])
        self._frames.extend(frames if isinstance(frames, list) else [frames])
        self._messages += 1
        if self._acks and self._messages % (settings.ACK_WINDOW // 2) == 0:
            await self.say(type="ack", n=self._messages)


@asynccontextmanager
async def connect(user: User | None, *, acks: bool = True, **hello: Any) -> AsyncIterator[Socket]:
    """A socket that said `hello` as `user` and was welcomed; for None one that said nothing yet."""
    communicator = line()
    accepted, _ = await communicator.connect()
    assert accepted
    socket = Socket(communicator, acks=acks)
    try:
        if user is not None:
            token = (await in_thread(tokens.issue, user))["access"]
            await socket.say(type="hello", v=1, client_id="test", token=token, **hello)
            socket.welcome = await socket.hear("welcome")
        yield socket
    finally:
        await socket.disconnect()
