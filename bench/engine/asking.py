"""The generator's clients of assistants: those that ask through us, and those that ask the model itself."""

import asyncio
import json
from collections import Counter
from contextlib import closing
from typing import Any

import msgspec

from bench.engine.sockets import HALF_A_WINDOW, TEXT, Ours, Seat
from bench.engine.stored import Stored
from bench.engine.tally import Board, microseconds
from bench.engine.words import FIRST, WORD, stamp

DIRECT_TRIES = 3
# An answer that has not ended by then is lost.
PATIENCE_SECONDS = 60.0


class AskingBoard(Board):
    """What all askers write on: milliseconds to the first delta, of every token from the model to the screen (together:
    of those while so many answers are on the screen), and from the question to the end; how runs ended."""

    def __init__(self, stored: Stored | None = None, together: int = 0) -> None:
        super().__init__()
        self.stored = stored
        self.wanted = together
        self.running = 0
        self.begin()

    def begin(self) -> None:
        """Forget everything."""
        self.firsts: list[float] = []
        self.lags: list[float] = []
        self.together: list[float] = []
        self.took: list[float] = []
        self.ends: Counter[str] = Counter()


class Asker(Ours):
    """A member of a conversation who asks, and sees the answers."""

    def __init__(self, seat: Seat, board: Board) -> None:
        super().__init__(seat, board)
        assert isinstance(board, AskingBoard)
        self.answers = board
        self._asked = 0
        self._seen = False
        # Of a stamp that was cut in two.
        self._rest = ""
        self._over: asyncio.Future[str] | None = None

    async def ask(self, text: str) -> str:
        """Ask, and wait for the end of the answer; its status."""
        self.said += 1
        self._asked, self._seen, self._rest = microseconds(), False, ""
        self._over = asyncio.get_running_loop().create_future()
        frame = {
            "type": "send", "ref": str(self.said), "conversation": self.seat.conversation,
            "cmid": f"{self.client.decode()}-{self.said}", "text": text, "assistant": "openai",
        }  # fmt: skip
        self.under_way[str(self.said)] = json.dumps(frame).encode()
        self.transport.send(TEXT, self.under_way[str(self.said)])
        try:
            return await asyncio.wait_for(self._over, PATIENCE_SECONDS)
        except TimeoutError:
            self.answers.ends["lost"] += 1
            return "lost"

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
        elif "events" in frame:
            # What did not fit into the window is told from the log.
            for event in frame["events"]:
                self._take(event, now)
        else:
            self.control(frame)

    def refused(self, frame: dict[str, Any]) -> None:
        """What may not be tried again has no answer."""
        super().refused(frame)
        if not frame["retryable"] and self._over and not self._over.done():
            self.answers.ends[frame["code"]] += 1
            self._over.set_result(frame["code"])

    def _delta(self, frame: dict[str, Any], now: int) -> None:
        if not self._seen:
            self._seen = True
            self.answers.running += 1
            self.answers.firsts.append((now - self._asked) / 1000)
        text = self._rest + frame["text"]
        found = list(WORD.finditer(text))
        self._rest = text[found[-1].end() :] if found else text
        lags = [(now - stamp(one)) / 1000 for one in found]
        self.answers.lags += lags
        if self.answers.running == self.answers.wanted:
            self.answers.together += lags
        if self.answers.stored:
            self.answers.stored.look(frame["run"], frame["offset"] + len(frame["text"]))

    def _end(self, data: dict[str, Any], now: int) -> None:
        if self._over is None or self._over.done():
            return  # one of before, in the newest page
        self.answers.running -= self._seen
        self.answers.ends[data["status"]] += 1
        self.answers.took.append((now - self._asked) / 1000)
        self._over.set_result(data["status"])


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
                if not seen and b'"content":"%s' % FIRST.encode() in line:
                    seen = True
                    self.board.firsts.append((microseconds() - began) / 1000)
        wait = float(head.lower().split(b"retry-after:")[1].split(b"\r\n")[0]) if status == 429 else 0.0
        return status, wait
