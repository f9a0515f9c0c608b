"""The servers that are measured, each on a core of its own: the product, and what it is compared with."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench.engine import cores
from chatproject.embedded import web
from chatproject.embedded.layout import Layout
from chatproject.embedded.processes import Program
from chatproject.embedded.supervisor import Supervisor

BASE_DIR = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
FRAME_BYTES, BATCH_BYTES = 65536, 262144
# Limits of one user or address that the load, which comes from one place, would run into.
UNLIMITED = {"LIMITS_APPLY": "0"}


@dataclass
class Server:
    """A server that runs: where it listens, and its process."""

    name: str
    port: int
    process: psutil.Process

    def memory(self) -> int:
        """Bytes that are its own, and its part of what it shares."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(int(one.memory_full_info().pss) for one in family)

    def stop(self) -> None:
        """End it before the others end, without a farewell."""
        self.process.kill()
        self.process.wait(10)


class Servers:
    """Starts servers as children of one supervisor, which ends them before the services that they use."""

    def __init__(self, supervisor: Supervisor, data_dir: Path) -> None:
        self._supervisor = supervisor
        self._layout = Layout(data_dir)

    def product(self, server: str = "uvicorn", **settings: str) -> Server:
        """The product's web server as `serve` starts it; `settings` are environment variables."""
        with web.listen("127.0.0.1", 0) as listener:
            limits = {"frame_bytes": FRAME_BYTES, "batch_bytes": BATCH_BYTES}
            program = web.web(self._layout, BASE_DIR, listener, number=1, server=server, **limits)
            program = replace(program, environment={**program.environment, **UNLIMITED, **settings})
            port = listener.getsockname()[1]
            return self._start(replace(program, name=f"ours-{server}"), port, lambda: web.answers(listener))

    def worker(self, number: int, **settings: str) -> Server:
        """A worker process of the product, on any core."""
        program = web.command(self._layout, BASE_DIR, f"worker-{number}", "worker")
        program = replace(program, environment={**program.environment, **UNLIMITED, **settings})
        return self._start(program, 0, lambda: True, alone=False)

    def helper(self, name: str, argv: Sequence[str]) -> Server:
        """As `peer`, but not what is measured: on any core."""
        return self._other(name, argv, {}, alone=False)

    def peer(self, name: str, argv: Sequence[str], **environment: str) -> Server:
        """Another server; `{port}` in its arguments becomes a free port."""
        return self._other(name, argv, environment, alone=True)

    def _other(self, name: str, argv: Sequence[str], environment: dict[str, str], *, alone: bool) -> Server:
        port = _free_port()
        filled = [part.format(port=port) for part in argv]
        program = Program(name, filled, self._layout.data_dir, {**os.environ, **environment}, cwd=BASE_DIR)
        return self._start(program, port, lambda: _listens(port), alone=alone)

    def _start(self, program: Program, port: int, ready: Callable[[], bool], *, alone: bool = True) -> Server:
        where = str(cores.SERVER) if alone else f"{cores.SERVER},{cores.OTHERS}"
        argv = ["taskset", "--cpu-list", where, *map(str, program.argv)]
        log = self._layout.logs / f"bench-{program.name}.log"
        child = self._supervisor.start(replace(program, argv=argv, log=log))
        self._supervisor.wait_until(ready, child, READY_SECONDS)
        return Server(program.name, port, psutil.Process(child.process.pid))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
