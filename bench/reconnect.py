"""A thousand clients cut off at once, who come back at once."""

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from typing import Any

from bench.engine.load import Load, connect
from bench.engine.sockets import Ours, Seat
from bench.engine.stage import Stage, run
from bench.engine.tally import MARK, Board
from bench.figures import Figure, Terms, at_most
from realtime.client import wait_before

ROOMS, MEMBERS = 20, 50
MISSED = 20
MISSED_RATE = 200.0
TARGET_MS = 3000.0
# Nobody waits longer to be back.
PATIENCE_SECONDS = 60.0


class Returning(Ours):
    """Comes in with the cursor that it has, and is ready when it has what it missed."""

    def __init__(self, seat: Seat, board: Board, cursor: tuple[str, int] | None = None) -> None:
        super().__init__(seat, board)
        self.cursor = cursor
        self.missed = 0
        # When to come again at the earliest, as a refusal said.
        self.wait_ms = 0

    def resume(self) -> dict[str, Any]:
        if self.cursor is None:
            return {}
        epoch, seq = self.cursor
        return {"resume": [{"conversation": self.seat.conversation, "epoch": epoch, "seq": seq}]}

    def hear(self, payload: bytes) -> None:
        super().hear(payload)
        if self.cursor:
            self.missed += payload.count(MARK)
            if self.missed >= MISSED:
                self.is_in()

    def control(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "error":
            self.wait_ms = frame.get("retry_after_ms", self.wait_ms)
        if frame["type"] != "joined":
            super().control(frame)
        elif self.cursor is None:
            self.cursor = frame["epoch"], frame["head"]
            self.is_in()


@dataclass(frozen=True)
class Back:
    """How long one client took, in milliseconds, and how often it was refused."""

    took: float
    refused: int


def reconnect(place: Stage, terms: Terms) -> list[Figure]:
    """1,000 clients reconnect at once, each with 20 missed events, which it is sent; refusals honoured."""
    port, seats = place.server("ours").port, place.new_seats(ROOMS, MEMBERS)
    turns = [run(_storm(port, seats)) for _ in range(min(3, terms.repeat))]
    p99s = []
    for back in turns:
        took = sorted(one.took for one in back)
        p99s.append(took[int(len(took) * 0.99)])
        refused = sum(one.refused for one in back)
        print(
            f"{len(back)} of {ROOMS * MEMBERS} back: p50 {took[len(took) // 2]:,.0f} ms, p99 {p99s[-1]:,.0f} ms, "
            f"last {took[-1]:,.0f} ms; refused with a time to come again: {refused}"
        )
    all_back = all(len(back) == ROOMS * MEMBERS for back in turns)
    return [
        at_most("1,000 clients back with 20 missed events: p99", statistics.median(p99s), TARGET_MS, "ms"),
        Figure("… of them back with everything", "all" if all_back else "not all", "all", all_back),
    ]


async def _storm(port: int, seats: list[list[Seat]]) -> list[Back]:
    cursors: dict[Seat, tuple[str, int]] = {}
    async with Load(port, Returning, seats) as load:
        for socket in load.sockets:
            assert isinstance(socket, Returning)
            assert socket.cursor
            cursors[socket.seat] = socket.cursor
    await _say_meanwhile(port, seats)
    board, began = Board(), time.monotonic()
    returns = (_come_back(port, seat, cursor, board, began) for seat, cursor in cursors.items())
    return [one for one in await asyncio.gather(*returns) if one]


async def _say_meanwhile(port: int, seats: list[list[Seat]]) -> None:
    """MISSED messages in every room, by one who is there alone."""
    async with Load(port, Ours, [room[:1] for room in seats]) as load:
        window = await load.window(MISSED_RATE, MISSED * len(seats) / MISSED_RATE)
        assert window.sent == MISSED * len(seats), "the missed events could not be written in time"


async def _come_back(port: int, seat: Seat, cursor: tuple[str, int], board: Board, began: float) -> Back | None:
    """Try until everything is there; None where that takes longer than anybody waits."""
    sockets: list[Returning] = []
    refused, chance = 0, random.Random(seat.token)
    while time.monotonic() - began < PATIENCE_SECONDS:
        sockets.append(Returning(seat, board, cursor))
        try:
            await connect(port, sockets[-1])
            took = (time.monotonic() - began) * 1000
            sockets[-1].hang_up()
            return Back(took, refused)
        except (OSError, TimeoutError):
            refused += 1
            await asyncio.sleep(max(sockets[-1].wait_ms / 1000, wait_before(refused, chance)))
    return None
