"""Chat pages in the generator: a socket, and the partial pages that it makes the page fetch."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

from bench.engine.requests import READ_SECONDS, Requests
from bench.engine.sockets import TEXT, Ours, Seat
from bench.engine.tally import Board

# Requests of one message among two: typing on and off, send; then of each the message, which has a sign in it that
# the page leaves to the server, and what was read, which goes over the socket.
REQUESTS_PER_MESSAGE = 7


@dataclass(frozen=True)
class Visitor(Seat):
    """Somebody with the cookie of a login."""

    cookie: str = ""


class Answers:
    """How long answered requests took, in milliseconds, by kind; and how many frames went that have no answer."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.taken: dict[str, list[float]] = {"send": [], "message page": []}
        self.unanswered = 0
        self.failed = 0

    def note(self, kind: str, ms: float | None) -> None:
        if ms is None:
            self.failed += 1
        else:
            self.taken[kind].append(ms)

    @property
    def requests(self) -> int:
        return self.unanswered + self.failed + sum(map(len, self.taken.values()))

    def all(self) -> list[float]:
        return sorted(itertools.chain.from_iterable(self.taken.values()))


class PageBoard(Board):
    """What all pages write on."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.answers = Answers()


class Page(Ours):
    """One open chat page."""

    def __init__(self, seat: Seat, board: Board) -> None:
        super().__init__(seat, board)
        assert isinstance(seat, Visitor)
        assert isinstance(board, PageBoard)
        self.answers = board.answers
        self.requests = Requests(board.port, seat.cookie, seat.conversation, self.answers.note)
        self.sent_at: dict[str, float] = {}
        self.read_up_to = 0

    def hang_up(self) -> None:
        super().hang_up()
        self.requests.close()

    def message(self, text: bytes) -> bytes:
        for on in (b"true", b"false"):
            self.transport.send(TEXT, b'{"type":"typing","conversation":"%s","on":%s}' % (self.conversation, on))
        self.answers.unanswered += 2
        self.sent_at[str(self.said)] = time.monotonic()
        return super().message(text)

    def hear(self, payload: bytes) -> None:
        super().hear(payload)
        if b'"message:new"' in payload or b'"sent"' in payload:
            frames = json.loads(payload)
            for frame in frames if isinstance(frames, list) else [frames]:
                self.happened(frame)

    def happened(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "sent" and str(frame["ref"]) in self.sent_at:
            self.answers.note("send", (time.monotonic() - self.sent_at.pop(str(frame["ref"]))) * 1000)
        elif frame["type"] == "message:new":
            self.requests.said(frame)
            if not self.read_up_to:
                asyncio.get_running_loop().call_later(READ_SECONDS, self.read)
            self.read_up_to = frame["seq"]

    def read(self) -> None:
        seq, self.read_up_to = self.read_up_to, 0
        if self.open:
            self.transport.send(TEXT, b'{"type":"read","conversation":"%s","seq":%d}' % (self.conversation, seq))
            self.answers.unanswered += 1
