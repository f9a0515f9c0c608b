"""Chat pages in the generator: a socket, and the partial pages that it makes the page fetch."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from typing import Any

from bench.engine.sockets import TEXT, Ours, Seat
from bench.engine.tally import Board

# As in the page's own scripts (conversations/static/conversations/list.js).
LIST_SOON_SECONDS = 0.4
# Requests of one message among two: typing on and off, send; then for each, read, the message, the list.
REQUESTS_PER_MESSAGE = 9


@dataclass(frozen=True)
class Visitor(Seat):
    """Somebody with the cookie of a login."""

    cookie: str = ""


class Answers:
    """How long answered requests took, in milliseconds, by kind; and how many frames went that have no answer."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {"send": [], "message page": [], "list page": []}
        self.unanswered = 0
        self.failed = 0

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


class Connection:
    """One HTTP connection that is kept, one request at a time."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> int:
        """The status of the answer, once all of it is here. Raises OSError or EOFError."""
        async with self._lock:
            try:
                return await self._ask(path)
            except (OSError, EOFError):
                # The server closes what is not used for a while; browsers try again, too.
                self.close()
                return await self._ask(path)

    async def _ask(self, path: str) -> int:
        if self._streams is None or self._streams[1].is_closing():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: {self._cookie}\r\n\r\n"
        writer.write(head.encode())
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        [length] = [int(field.partition(b":")[2]) for field in fields if field.startswith(b"content-length:")]
        await reader.readexactly(length)
        return int(status.split()[1])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


class Page(Ours):
    """One open chat page: reads what comes, and fetches it as HTML, as the page's scripts do."""

    board: PageBoard

    def __init__(self, seat: Seat, board: Board) -> None:
        super().__init__(seat, board)
        assert isinstance(seat, Visitor)
        assert isinstance(board, PageBoard)
        self.board = board
        self.http = Connection(board.port, seat.cookie)
        self.sent_at: dict[str, float] = {}
        self.list_due = False
        self.tasks: set[asyncio.Task[None]] = set()

    def hang_up(self) -> None:
        super().hang_up()
        self.http.close()

    def message(self, text: bytes) -> bytes:
        for on in (b"true", b"false"):
            self.transport.send(TEXT, b'{"type":"typing","conversation":"%s","on":%s}' % (self.conversation, on))
        self.board.answers.unanswered += 2
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
            self.board.answers.taken["send"].append((time.monotonic() - self.sent_at.pop(str(frame["ref"]))) * 1000)
        elif frame["type"] == "message:new":
            self.transport.send(
                TEXT, b'{"type":"read","conversation":"%s","seq":%d}' % (self.conversation, frame["seq"])
            )
            self.board.answers.unanswered += 1
            self.get("message page", f"/c/{self.seat.conversation}/m/{frame['data']['message']}/")
            if not self.list_due:
                self.list_due = True
                asyncio.get_running_loop().call_later(LIST_SOON_SECONDS, self.get_list)

    def get_list(self) -> None:
        self.list_due = False
        if self.open:
            self.get("list page", "/list/")

    def get(self, kind: str, path: str) -> None:
        task = asyncio.get_running_loop().create_task(self._get(kind, path))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _get(self, kind: str, path: str) -> None:
        began = time.monotonic()
        try:
            status = await self.http.get(path)
        except (OSError, EOFError, asyncio.CancelledError):
            status = 0
        if status == 200:
            self.board.answers.taken[kind].append((time.monotonic() - began) * 1000)
        else:
            self.board.answers.failed += 1
