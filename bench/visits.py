"""People who come, talk and leave again and again, with the product's own client; for bench/soak.py, and for a test."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.figures import Figure
from realtime.client import Client, Refused, Room

# Seconds within which what is said is to be acknowledged.
PATIENCE = 30.0
SAYINGS = 1, 3
# Parts of those who come by server-sent events, go on where they were, and whose cable is cut.
BY_EVENTS, GOES_ON, CUT = 0.25, 0.5, 0.3


@dataclass(frozen=True)
class Pace:
    """Seconds that somebody stays, and stays away, at least and at most."""

    stay: tuple[float, float] = (2.0, 12.0)
    away: tuple[float, float] = (0.2, 3.0)


@dataclass
class Diary:
    """What visitors saw: numbers of the messages that were acknowledged, by conversation, and what went wrong."""

    visits: int = 0
    events: int = 0
    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    def figures(self) -> Iterable[Figure]:
        said = sum(map(len, self.acknowledged.values()))
        yield Figure("visits, messages acknowledged, events seen", f"{self.visits:,}, {said:,}, {self.events:,}")
        wrong = "; ".join(f"{count} × {what}" for what, count in self.wrong.most_common(3)) or "nothing"
        yield Figure("what went wrong", wrong, "nothing", not self.wrong)


class Visitor:
    """One person, visit after visit until cancelled."""

    def __init__(self, conversation: str, token: str, host: str, diary: Diary, pace: Pace) -> None:
        self._conversation, self._token, self._host = conversation, token, host
        self._diary, self._pace = diary, pace
        self._chance = random.Random(token)
        self._cursor: tuple[str | None, int | None] = None, None

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*self._pace.away))
            try:
                await self._visit()
            except (Refused, OSError, TimeoutError, AssertionError, ExceptionGroup) as error:
                self._diary.wrong[repr(error)] += 1

    async def _visit(self) -> None:
        epoch, seq = self._cursor if self._chance.random() < GOES_ON else (None, None)
        by_events = self._chance.random() < BY_EVENTS
        client = Client(self._host, token=self._token, transport="sse" if by_events else "websocket")
        async with client:
            room = client.join(self._conversation, epoch=epoch, seq=seq)
            listening = asyncio.create_task(self._listen(room))
            try:
                await self._talk(room)
            finally:
                listening.cancel()
            self._cursor = room.epoch, room.seq
            if not by_events and self._chance.random() < CUT:
                client._link._socket.transport.abort()  # type: ignore[union-attr]
        self._diary.visits += 1

    async def _talk(self, room: Room) -> None:
        for _ in range(self._chance.randint(*SAYINGS)):
            async with asyncio.timeout(PATIENCE):
                sent = await room.send("what I say while I am here, and then I go")
            self._diary.acknowledged.setdefault(room.id, []).append(sent["seq"])
            room.typing(on=False)
            room.read(sent["seq"])
            await asyncio.sleep(self._chance.uniform(*self._pace.stay) / SAYINGS[1])

    async def _listen(self, room: Room) -> None:
        last = None
        async for frame in room:
            if frame["type"] == "resync":
                last = frame["snapshot"]["seq"]
            elif "data" in frame:
                if last is not None and frame["seq"] != last + 1:
                    self._diary.wrong[f"{frame['seq']} came after {last}"] += 1
                last = frame["seq"]
                self._diary.events += 1
