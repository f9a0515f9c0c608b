"""A bad network: TCP between clients and one server, delayed, throttled, chopped, held up, cut, closed by half.

What TCP promises is kept (bytes come in order or not at all): nothing is invented that a real network cannot do.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Literal, Self

Direction = Literal["up", "down"]
CHUNK = 64 * 1024


@dataclass
class Way:
    """How one direction behaves, for all connections: `up` is towards the server.

    `delay` seconds for every piece, at most `rate` bytes a second (0: any), pieces of `piece` bytes at most.
    While `open` is clear nothing passes, as where all packets are lost: senders find their buffers full.
    """

    open: asyncio.Event
    delay: float = 0.0
    rate: int = 0
    piece: int = CHUNK

    def heal(self) -> None:
        self.delay, self.rate, self.piece = 0.0, 0, CHUNK
        self.open.set()

    async def pause(self, size: int) -> None:
        """As long as `size` bytes take."""
        await asyncio.sleep(self.delay + (size / self.rate if self.rate else 0.0))
        await self.open.wait()


class Connection:
    """Two sockets, a client's and ours to the server."""

    def __init__(self, client: "Streams", server: "Streams") -> None:
        self.client, self.server = client, server
        self.lost = False

    def cut(self) -> None:
        """Reset both ends at once."""
        for _, writer in (self.client, self.server):
            writer.transport.abort()

    def lose_client(self) -> None:
        """The client is gone and the server is not told: a half-open connection."""
        self.lost = True
        self.client[1].transport.abort()

    def end(self, direction: Direction) -> None:
        """Say in one direction that nothing more comes (FIN); the other one goes on."""
        writer = self.server[1] if direction == "up" else self.client[1]
        with suppress(OSError):
            writer.write_eof()


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Listens on a port of its own in front of `port`; `async with` starts and ends it."""

    def __init__(self, port: int) -> None:
        self.connections: list[Connection] = []
        self.up, self.down = Way(asyncio.Event()), Way(asyncio.Event())
        self.refusing = False
        self.target = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.heal()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/"

    def heal(self) -> None:
        """Be a good network again; what was held up goes on."""
        self.refusing = False
        self.up.heal()
        self.down.heal()

    def cut(self, some: Iterable[Connection] | None = None) -> None:
        """Reset connections: all, or `some`."""
        for connection in self.connections if some is None else some:
            connection.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self.refusing:
            return writer.transport.abort()
        with suppress(OSError):
            await self._join((reader, writer), await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK))

    async def _join(self, client: Streams, server: Streams) -> None:
        connection = Connection(client, server)
        self.connections.append(connection)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(connection, "up"))
                group.create_task(self._pass(connection, "down"))
        finally:
            connection.cut()
            self.connections.remove(connection)

    async def _pass(self, connection: Connection, direction: Direction) -> None:
        reader, writer = connection.client[0], connection.server[1]
        if direction == "down":
            reader, writer = connection.server[0], connection.client[1]
        way = getattr(self, direction)
        with suppress(OSError):
            while piece := await reader.read(way.piece):
                await way.pause(len(piece))
                writer.write(piece)
                await writer.drain()
        if connection.lost:
            await asyncio.Event().wait()
        connection.end(direction)


def _one(proxy: Proxy, chance: Random) -> list[Connection]:
    return [chance.choice(proxy.connections)] if proxy.connections else []


def _either(proxy: Proxy, chance: Random) -> Way:
    return chance.choice((proxy.up, proxy.down))


def _cut_all(proxy: Proxy, chance: Random) -> None:
    proxy.cut()


def _cut_one(proxy: Proxy, chance: Random) -> None:
    proxy.cut(_one(proxy, chance))


def _lose_one(proxy: Proxy, chance: Random) -> None:
    for connection in _one(proxy, chance):
        connection.lose_client()


def _half_close(proxy: Proxy, chance: Random) -> None:
    for connection in _one(proxy, chance):
        connection.end(chance.choice(("up", "down")))


def _refuse(proxy: Proxy, chance: Random) -> None:
    proxy.refusing = True
    proxy.cut(_one(proxy, chance))


def _delay(proxy: Proxy, chance: Random) -> None:
    _either(proxy, chance).delay = chance.uniform(0.01, 0.3)


def _throttle(proxy: Proxy, chance: Random) -> None:
    _either(proxy, chance).rate = chance.randrange(2_000, 50_000)


def _chop(proxy: Proxy, chance: Random) -> None:
    _either(proxy, chance).piece = chance.randrange(1, 20)


def _hold(proxy: Proxy, chance: Random) -> None:
    _either(proxy, chance).open.clear()


FAULTS = (_cut_all, _cut_one, _lose_one, _half_close, _refuse, _delay, _throttle, _chop, _hold)


def misbehave(proxy: Proxy, chance: Random) -> str:
    """Begin one fault, chosen by `chance`; its name. `heal` ends those that last."""
    fault = chance.choice(FAULTS)
    fault(proxy, chance)
    return fault.__name__.strip("_").replace("_", " ")
