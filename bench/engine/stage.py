"""Where the measurements of the real-time engine take place: services beside the generator, servers alone."""

import asyncio
import gc
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from bench.engine import cores
from bench.engine.contestants import CONTESTANTS, make_peer_database
from bench.engine.load import Load
from bench.engine.servers import Server, Servers
from bench.engine.sockets import Seat
from bench.peers import node
from bench.product import running

Result = TypeVar("Result")


class Stage:
    """Servers and rooms that several scenarios use, each made when it is first wanted, and what was found out."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        # For files that end with it.
        self.folder = folder
        # Highest rates in 10 rooms of 50, by the name of the server.
        self.highest: dict[str, float] = {}
        self._started: dict[str, Server] = {}
        self._seats: dict[tuple[int, int], list[list[Seat]]] = {}

    def server(self, name: str) -> Server:
        """The server of one of CONTESTANTS."""
        if name not in self._started:
            self._started[name] = CONTESTANTS[name].start(self.servers)
        return self._started[name]

    def contestants(self, names: str) -> dict[str, Server]:
        """The servers of several, separated by commas; says which cannot run here, and goes on without."""
        found = {}
        for name in names.split(","):
            try:
                found[name] = self.server(name)
            except node.Missing as error:
                print(f"{CONTESTANTS[name].name} is left out: {error}", file=sys.stderr)
        return found

    def load(self, name: str, rooms: int, members: int) -> Load:
        """The generator for a server, in the same rooms for all who want such."""
        return Load(self.server(name).port, CONTESTANTS[name].kind, self.seats(rooms, members))

    def seats(self, rooms: int, members: int) -> list[list[Seat]]:
        """So many conversations with so many members, the same ones for all who want that."""
        if (rooms, members) not in self._seats:
            self._seats[rooms, members] = self.new_seats(rooms, members)
        return self._seats[rooms, members]

    def new_seats(self, rooms: int, members: int) -> list[list[Seat]]:
        """As `seats`, where nobody has been yet."""
        # Django's models can be imported only now.
        from bench.engine import places

        return places.seats(rooms, members)


@contextmanager
def stage() -> Iterator[Stage]:
    """Services and an empty, migrated database, on the generator's core; everything ends with it."""
    cores.take_others()
    with running() as services:
        make_peer_database()
        yield Stage(Servers(services.supervisor, services.data_dir), services.data_dir)


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run the generator: on a fast loop, without pauses for garbage."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    finally:
        gc.enable()
