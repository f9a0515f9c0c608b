"""The generator's clients of assistants: those that ask through us, and those that ask the model itself."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec

from bench.engine.sockets import HALF_A_WINDOW, TEXT, Ours, Seat
from bench.engine.stored import Stored
from bench.engine.tally import MARK, STAMP_DIGITS, Board, microseconds

SIGN = MARK.decode()
DIRECT_TRIES = 3


class AskingBoard(Board):
    """What all askers write on: milliseconds to the first delta, of every token from the model to the screen, and from
    the question to the end; how runs ended."""

    def __init__(self, stored: Stored | None = None) -> None:
        super().__init__()
        self.stored = stored
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.firsts: list[float] = []
        self.lags: list[float] = []
        self.took: list[float] = []
        self.ends: Counter[str] = Counter()


class Asker(Ours):
    """A member of a conversation who asks, and sees the answers."""

    def __init__(self, seat: Seat, board: Board) -> None:
        super().__init__(seat, board)
        assert isinstance(board, AskingBoard)
        self.answers = board
        self._asked = 0
        self._run = ""
        self._seen = False
        self._over: asyncio.Future[str] | None = None

    async def ask(self, text: str) -> str:
        """Ask, and wait for the end of the answer; its status."""
        self.said += 1
        self._asked, self._run, self._seen = microseconds(), "", False
        self._over = asyncio.get_running_loop().create_future()
        frame = {
            "type": "send", "ref": str(self.said), "conversation": self.seat.conversation,
            "cmid": f"{self.client.decode()}-{self.said}", "text": text, "assistant": "openai",
        }  # fmt: skip
        self.under_way[str(self.said)] = json.dumps(frame).encode()
        self.transport.send(TEXT, self.under_way[str(self.said)])
        return await self._over

    def hear(self, payload: bytes) -> None:
        now = microseconds()
        self.heard += 1
        if self.heard - self.acked >= HALF_A_WINDOW:
            self.ack()
        frames = msgspec.json.decode(payload)
        for frame in frames if isinstance(frames, list) else [frames]:
            self._take(frame, now)

    def _take(self, frame: dict[str, Any], now: int) -> None:
        if frame["type"] == "delta":
            self._delta(frame, now)
        elif frame["type"] == "run:end":
            self._end(frame["data"], now)
        else:
            self.control(frame)

    def _delta(self, frame: dict[str, Any], now: int) -> None:
        if not self._seen:
            self._seen = True
            self.answers.firsts.append((now - self._asked) / 1000)
        self.answers.lags += [(now - stamp) / 1000 for stamp in stamps(frame["text"])]
        if self.answers.stored:
            self.answers.stored.look(frame["run"], frame["offset"] + len(frame["text"]))

    def _end(self, data: dict[str, Any], now: int) -> None:
        self.answers.ends[data["status"]] += 1
        self.answers.took.append((now - self._asked) / 1000)
        if self._over and not self._over.done():
            self._over.set_result(data["status"])


def stamps(text: str) -> Iterator[int]:
    for part in text.split(SIGN)[1:]:
        yield int(part[:STAMP_DIGITS], 16)


class Direct:
    """Asks the model itself, as a stock client does: what is refused with 429 is tried again after Retry-After, so
    often (DIRECT_TRIES) as OpenAI's SDK does."""

    def __init__(self, port: int, board: AskingBoard) -> None:
        self.port, self.board = port, board

    async def ask(self, text: str) -> str:
        began = microseconds()
        for left in reversed(range(DIRECT_TRIES)):
            status, wait = await self._call(text, began)
            if status != 429 or not left:
                break
            await asyncio.sleep(wait)
        end = "completed" if status == 200 else "failed"
        self.board.ends[end] += 1
        self.board.took.append((microseconds() - began) / 1000)
        return end

    async def _call(self, text: str, began: int) -> tuple[int, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        body = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}).encode()
        with closing(writer):
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n" % len(body) + body
            )
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ")[1])
            seen = False
            while line := await reader.readline():
                if not seen and SIGN.encode() in line:
                    seen = True
                    self.board.firsts.append((microseconds() - began) / 1000)
        wait = float(head.lower().split(b"retry-after:")[1].split(b"\r\n")[0]) if status == 429 else 0.0
        return status, wait
