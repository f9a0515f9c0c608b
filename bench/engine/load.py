"""The open-loop generator: sends at a rate whatever comes back, and counts every delivery."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from picows import ws_connect

from bench.engine import cores
from bench.engine.sockets import Seat, Socket
from bench.engine.tally import Board, Tally

TICK_SECONDS = 0.001
# Sockets that come in at the same time.
AT_ONCE = 50
CONNECT_SECONDS = 30
# What has not arrived by then is lost, or after a part of it without any arrival.
DRAIN_SECONDS, SILENCE = 8.0, 0.2
# A window is good up to this.
P99_MS = 100.0
RATE_KEPT = 0.98
# Above this the generator's core is what limits, not the server.
SATURATED = 0.95


@dataclass(frozen=True)
class Window:
    """What came of one stretch at one rate (messages per second); times in milliseconds."""

    rate: float
    sent: int
    kept: float
    lost: int
    unacknowledged: int
    p50: float
    p99: float
    closed: int
    busy: cores.Busy

    @property
    def good(self) -> bool:
        return self.p99 < P99_MS and not self.lost and not self.closed and self.kept > RATE_KEPT

    @property
    def limited_by_generator(self) -> bool:
        return self.busy.others > SATURATED > self.busy.server


class Load:
    """Sockets in rooms of equal size, on one server."""

    def __init__(
        self, port: int, kind: type[Socket], rooms: Sequence[Sequence[Seat]], board: Board | None = None
    ) -> None:
        self.board = board or Board()
        self.members = len(rooms[0])
        self._port, self._kind, self._rooms = port, kind, rooms
        self.sockets: list[Socket] = []
        self._turns: itertools.cycle[Socket]
        self._acking: asyncio.Task[None]

    async def __aenter__(self) -> "Load":
        """Bring everybody in, AT_ONCE at the same time."""
        # One of each room in turn, so that what follows each other is said in different rooms.
        waiting = iter([seat for column in zip(*self._rooms, strict=True) for seat in column])
        await asyncio.gather(*(self._bring_in(waiting) for _ in range(AT_ONCE)))
        self._turns = itertools.cycle(self.sockets)
        self._acking = asyncio.create_task(self._ack_every_second())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._acking.cancel()
        for socket in self.sockets:
            socket.hang_up()
        await asyncio.sleep(0.3)

    async def _bring_in(self, waiting: Iterator[Seat]) -> None:
        for seat in waiting:
            socket = self._kind(seat, self.board)
            await connect(self._port, socket)
            self.sockets.append(socket)

    async def _ack_every_second(self) -> None:
        while True:
            await asyncio.sleep(1)
            for socket in self.sockets:
                socket.ack()

    async def window(self, rate: float, seconds: float, *, patience: float = DRAIN_SECONDS) -> Window:
        """Send for so long, then wait for what is still under way, not longer than `patience` seconds."""
        tally = self.board.tally = Tally()
        closed, watch, began = self.board.closed_early, cores.Watch(), time.monotonic()
        await self._send(tally, rate, seconds)
        kept, busy = tally.sent / (time.monotonic() - began) / rate, watch.read()
        await self._arrivals(tally, patience)
        p50, p99 = percentiles(tally)
        return Window(
            rate=rate,
            sent=tally.sent,
            kept=kept,
            lost=tally.lost(self.members),
            unacknowledged=tally.sent - tally.acknowledged,
            p50=p50,
            p99=p99,
            closed=self.board.closed_early - closed,
            busy=busy,
        )

    async def _send(self, tally: Tally, rate: float, seconds: float) -> None:
        began = time.monotonic()
        total = max(1, round(rate * seconds))
        while tally.sent < total:
            elapsed = time.monotonic() - began
            if elapsed > 1.5 * seconds or self.board.closed_early == len(self.sockets):
                return
            for _ in range(min(total, int(elapsed * rate) + 1) - tally.sent):
                self._next().say()
            await asyncio.sleep(TICK_SECONDS)

    def _next(self) -> Socket:
        return next(socket for socket in self._turns if socket.open)

    async def _arrivals(self, tally: Tally, patience: float) -> None:
        deadline = time.monotonic() + patience
        seen, since = -1, time.monotonic()
        while not self._all_there(tally) and time.monotonic() < deadline:
            if tally.arrived + tally.acknowledged != seen:
                seen, since = tally.arrived + tally.acknowledged, time.monotonic()
            elif time.monotonic() - since > patience * SILENCE:
                return
            await asyncio.sleep(0.02)

    def _all_there(self, tally: Tally) -> bool:
        wanted = tally.sent if self._kind.acknowledges else 0
        return tally.arrived >= tally.sent * self.members and tally.acknowledged >= wanted


async def connect(port: int, socket: Socket) -> None:
    """Connect one client and return when it is in. Raises OSError or TimeoutError."""
    async with asyncio.timeout(CONNECT_SECONDS):
        await ws_connect(lambda: socket, f"ws://127.0.0.1:{port}{socket.path(socket.seat)}", enable_auto_pong=True)
        await socket.ready


def percentiles(tally: Tally) -> tuple[float, float]:
    """Median and 99th percentile of what arrived, in milliseconds."""
    taken = tally.taken()
    if not taken:
        return float("inf"), float("inf")
    return taken[len(taken) // 2] / 1000, taken[int(len(taken) * 0.99)] / 1000
