"""The generator's sockets, one class per protocol."""

import asyncio
import itertools
import json
import random
from dataclasses import dataclass
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from bench.engine.tally import Board, microseconds

TEXT = WSMsgType.TEXT
# With its marker a text has some 160 characters, and a message on the wire some 200 bytes where nothing is added.
PADDING_LENGTH = 145
HALF_A_WINDOW = 10
# Where an error does not say.
RETRY_MS = 1000
_numbers = itertools.count()
_sayings = random.Random(1)
_WORDS = "the a of and to in is for that with again please thanks tomorrow invoice harbour ship oranges delivery price"
PADDINGS = [" ".join(_sayings.choices(_WORDS.split(), k=40))[:PADDING_LENGTH].encode() for _ in range(50)]


@dataclass(frozen=True)
class Seat:
    """One member of one conversation."""

    conversation: str
    token: str


class Socket(WSListener):
    """One client. Subclasses know how to come in, what to answer, and how to say something."""

    # Whether the server says of each message that it is stored.
    acknowledges = False

    def __init__(self, seat: Seat, board: Board) -> None:
        self.seat, self.board = seat, board
        self.transport: WSTransport
        self.ready = asyncio.get_running_loop().create_future()
        self.open = False
        self.said = 0

    @staticmethod
    def path(seat: Seat) -> str:
        raise NotImplementedError

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport, self.open = transport, True
        self.come_in()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is TEXT:
            self.hear(frame.get_payload_as_bytes())
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.board.closed_early += self.open
        self.open = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before it was ready"))
            self.ready.exception()  # whoever waited may have given up

    def hang_up(self) -> None:
        self.open = False
        self.transport.disconnect(graceful=False)

    def come_in(self) -> None:
        """Say what has to be said until `is_in`."""
        self.is_in()

    def is_in(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def hear(self, payload: bytes) -> None:
        self.board.tally.note(payload)

    def say(self) -> None:
        """Say something to the room."""
        self.said += 1
        text = b"%s %s" % (self.board.tally.mark(), PADDINGS[self.said % len(PADDINGS)])
        self.transport.send(TEXT, self.message(text))

    def ack(self) -> None:
        """Called every second, for protocols that acknowledge."""

    def message(self, text: bytes) -> bytes:
        raise NotImplementedError


class Plain(Socket):
    """Channels' tutorial, and bare broadcasts: the room is in the path."""

    @staticmethod
    def path(seat: Seat) -> str:
        return f"/ws/chat/{seat.conversation}/"

    def message(self, text: bytes) -> bytes:
        return b'{"message":"%s"}' % text


class SocketIo(Socket):
    """Engine.IO 4 and Socket.IO 5 over WebSocket, as far as needed."""

    @staticmethod
    def path(seat: Seat) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    def come_in(self) -> None:
        """The server speaks first."""

    def hear(self, payload: bytes) -> None:
        if payload.startswith(b"42"):
            self.board.tally.note(payload)
        elif payload.startswith(b"0"):
            self.transport.send(TEXT, b"40")
        elif payload.startswith(b"40"):
            self.transport.send(TEXT, b'420["join","%s"]' % self.seat.conversation.encode())
        elif payload.startswith(b"43"):
            self.is_in()
        elif payload == b"2":
            self.transport.send(TEXT, b"3")

    def message(self, text: bytes) -> bytes:
        return b'42["chat","%s"]' % text


class Ours(Socket):
    """PROTOCOL.md section 4: hello, join, send, and acknowledgements as it asks for them."""

    acknowledges = True

    def __init__(self, seat: Seat, board: Board) -> None:
        super().__init__(seat, board)
        self.conversation = seat.conversation.encode()
        self.client = f"{next(_numbers)}-{microseconds():x}".encode()
        self.heard = self.acked = 0
        # What was sent, by its ref.
        self.under_way: dict[str, bytes] = {}

    @staticmethod
    def path(seat: Seat) -> str:
        return "/ws/"

    def come_in(self) -> None:
        frames: list[dict[str, Any]] = [
            {"type": "hello", "v": 1, "client_id": self.client.decode(), "token": self.seat.token, **self.resume()}
        ]
        if "resume" not in frames[0]:
            join = {"type": "join", "ref": "j", "conversation": self.seat.conversation}
            self.under_way["j"] = json.dumps(join).encode()
            frames.append(join)
        self.transport.send(TEXT, json.dumps(frames).encode())

    def resume(self) -> dict[str, Any]:
        """What `hello` says of what this client has; without, it joins from the newest page."""
        return {}

    def hear(self, payload: bytes) -> None:
        self.heard += 1
        if self.heard - self.acked >= HALF_A_WINDOW:
            self.ack()
        if self.board.tally.note(payload):
            frames = json.loads(payload)
            for frame in frames if isinstance(frames, list) else [frames]:
                self.control(frame)

    def control(self, frame: dict[str, Any]) -> None:
        """Everything but messages and their acknowledgements."""
        if frame["type"] == "joined":
            self.is_in()
        elif frame["type"] == "heartbeat":
            self.transport.send(TEXT, b'{"type":"pong","n":%d}' % frame["n"])
        elif frame["type"] == "error":
            self.refused(frame)

    def refused(self, frame: dict[str, Any]) -> None:
        """What may be tried again is sent again, with its cmid."""
        self.board.errors[frame["code"]] += 1
        again = self.under_way.get(frame.get("ref", ""))
        if again and frame["retryable"]:
            wait = frame.get("retry_after_ms", RETRY_MS) / 1000
            asyncio.get_running_loop().call_later(wait, self.transport.send, TEXT, again)

    def ack(self) -> None:
        """Acknowledge what has come in; called after a second at the latest."""
        if self.heard > self.acked and self.open:
            self.acked = self.heard
            self.transport.send(TEXT, b'{"type":"ack","n":%d}' % self.heard)

    def message(self, text: bytes) -> bytes:
        frame = b'{"type":"send","ref":"%d","conversation":"%s","cmid":"%s-%d","text":"%s"}' % (
            self.said,
            self.conversation,
            self.client,
            self.said,
            text,
        )
        self.under_way[str(self.said)] = frame
        return frame
