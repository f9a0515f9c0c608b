"""Where the measurements of the real-time engine take place: services beside the generator, servers alone."""

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvloop

from bench import cores
from bench.contestants import CONTESTANTS, make_peer_database
from bench.product import running
from bench.servers import Server, Servers

Result = TypeVar("Result")


class Stage:
    """Starts each server once, when it is first wanted."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._started: dict[str, Server] = {}

    def server(self, name: str) -> Server:
        """The server of one of CONTESTANTS."""
        if name not in self._started:
            self._started[name] = CONTESTANTS[name].start(self.servers)
        return self._started[name]


@contextmanager
def stage() -> Iterator[Stage]:
    """Services and an empty, migrated database, on the generator's core; everything ends with it."""
    cores.take_others()
    with running() as services:
        make_peer_database()
        yield Stage(Servers(services.supervisor, services.data_dir))


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
