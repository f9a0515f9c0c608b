"""uvicorn's WebSockets, where whole text messages take a short way in and out.

By itself it asks a state machine, a queue and a task for each of them, and stops and starts reading. Everything else
(fragments, pings, mistakes, the end) stays uvicorn's and its library's.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # in C, where that was built
from websockets.protocol import OPEN

# In the scope's `extensions`: takes a function that is called with each text message, instead of `receive`.
EXTENSION = "websocket.direct"
TEXT, MASKED = 0x81, 0x80
MASK_BYTES = 4
# Where the second byte says so, the length stands behind it, in so many bytes.
LENGTHS = {126: 2, 127: 8}


class Cutter:
    """Cuts what comes in into frames of at most `most` bytes; what is not complete waits for more."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""

    def frames(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Frames, and where in each its payload begins; 0 for what is none, which is not waited for."""
        data, at = self._rest + data, 0
        self._rest = b""
        while at < len(data):
            begin, end = _places(data, at)
            if begin and (end - begin > self._most or not data[at + 1] & MASKED):
                return (yield data[at:], 0)
            if not begin or end > len(data):
                self._rest = data[at:]
                return None
            yield data[at:end], begin - at
            at = end


def _places(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the frame begins that begins at `at`, and where it ends; nowhere, as long as that is not
    known (RFC 6455 section 5.2)."""
    if len(data) < at + 2:
        return 0, 0
    length, begin = data[at + 1] & ~MASKED, at + 2
    if more := LENGTHS.get(length):
        length = int.from_bytes(data[begin : begin + more], "big")
        begin += more
        if len(data) < begin:
            return 0, 0
    begin += MASK_BYTES
    return begin, begin + length


class Shared:
    """The frame of the text that was sent last: most texts go to many clients, one right after the other."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._frame = b""

    def frame(self, text: str) -> bytes:
        """`text` as a frame; kept until the event loop goes on."""
        if text is not self._text:
            if self._text is None:
                asyncio.get_running_loop().call_soon(self._forget)
            self._text, self._frame = text, _frame(text.encode())
        return self._frame

    def _forget(self) -> None:
        self._text, self._frame = None, b""


def _frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < min(LENGTHS):
        return bytes((TEXT, size)) + payload
    mark, more = next((mark, more) for mark, more in LENGTHS.items() if size < 1 << 8 * more)
    return bytes((TEXT, mark)) + size.to_bytes(more, "big") + payload


def _decoded(payload: bytes) -> str | None:
    """None for what is no UTF-8, which uvicorn answers and writes down."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


class Direct(WebSocketsSansIOProtocol):
    """One connection. The library's parser is given whole frames, so that one that goes past it is not missed."""

    _shared = Shared()
    _listener: Callable[[str], None] | None = None

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        self._cutter = Cutter(self.config.ws_max_size)
        if not self.close_sent:
            extensions: dict[Any, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self._listen

    def _listen(self, listener: Callable[[str], None]) -> None:
        self._listener = listener

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            return super().data_received(data)
        for frame, begin in self._cutter.frames(data):
            if frame[0] == TEXT and begin and self._listens:
                self.curr_msg_data_type = "text"
                self.frames = [apply_mask(frame[begin:], frame[begin - MASK_BYTES : begin])]
                self.send_receive_event_to_app()
            else:
                super().data_received(frame)
        return None

    @property
    def _listens(self) -> bool:
        """Whether a message can be handed over now: nothing has ended, waits before it, or has begun in fragments."""
        between = self.conn.current_size is None and self.queue.empty()
        return self._listener is not None and between and self._open

    @property
    def _open(self) -> bool:
        return self.conn.state is OPEN and not (self.close_sent or self.disconnected)

    def send_receive_event_to_app(self) -> None:
        if self.curr_msg_data_type == "text" and self._listener and self._listens:
            text = _decoded(b"".join(self.frames))
            if text is not None:
                self.frames = []
                return self._listener(text)
        return super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        text = message.get("text")
        if text is None or not (self._open and self.writable.is_set()):
            return await super().send(message)
        return self.transport.write(self._shared.frame(text))
