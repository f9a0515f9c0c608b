"""Web and worker processes of a test, each on its own, on the tests' database and a Redis of their own.

They are killed, paused and started again by the test; nothing looks after them.
"""

import asyncio
import http.client
import os
import secrets
import signal
import socket
import time
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from django.db import connection

from chatproject.embedded.web import arguments
from tests.faults.copies import Copy
from tests.leaks import leaks
from tests.provider import Provider
from tests.redis import Redis

START_SECONDS = 180
# Below those that the system gives to outgoing connections: one of these could take a port while its server is dead.
PORTS = range(20_000, 32_000)
# With these, a process reads tests/faults/settings.py, where CLOCK_SKEW and LOSE_HINTS count.
TROUBLED = {"DJANGO_SETTINGS_MODULE": "tests.faults.settings"}


class Process:
    """A process that can be ended in every way and started again."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.arguments = arguments
        self.environment = environment
        self.log = log

    def start(self, **settings: str) -> None:
        """Start it, for this once with further settings."""
        self.process = Copy(self.arguments, {**self.environment, **settings}, self.log)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def dead(self) -> bool:
        return not self.alive

    def kill(self) -> None:
        """As kill -9."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 20) -> int:
        """As an administrator does; its exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Web(Process):
    """A web server (uvicorn or daphne, as `serve` starts it) on a port of its own."""

    def __init__(self, environment: dict[str, str], log: Path, server: str) -> None:
        self.port = free_port()
        how = arguments(server, frame_bytes=65536, batch_bytes=262144)
        super().__init__([*how, f"--port={self.port}", "chatproject.asgi:application"], environment, log)

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def answers(self) -> bool:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            link.request("GET", "/livez")
            return link.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()

    def metric(self, name: str) -> float:
        """What `/metrics` says, over all labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            lines = [line.rpartition(" ") for line in answer.read().decode().splitlines()]
        return sum(float(value) for named, _, value in lines if named.partition("{")[0] == name)

    async def ready(self) -> None:
        """Wait until it answers."""
        await asyncio.to_thread(self.wait)

    def wait(self) -> None:
        """The same where there is no loop."""
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self.alive, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, "the web server does not answer"
            time.sleep(0.1)


class Cluster:
    """`webs` and `workers` as many as asked for; `provider` is the model, `redis` theirs alone.

    `async with` in a test, `with` in a fixture that several tests share. `settings` are environment variables of
    all of them, `each` further ones of the first web, the second, ….
    """

    def __init__(
        self,
        folder: Path,
        *,
        webs: int,
        workers: int,
        server: str = "uvicorn",
        each: Iterable[Mapping[str, str]] = (),
        **settings: str,
    ) -> None:
        self.provider, self.redis = Provider(), Redis()
        self._stack = ExitStack()
        self._folder = folder
        self._counts = webs, workers
        self._server = server
        self._settings = settings
        self._each = list(each)

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is None:
            assert [leak for log in self._folder.glob("*.log") for leak in leaks(log.read_text())] == []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _start(self) -> None:
        self._stack.enter_context(self.provider)
        self._stack.enter_context(self.redis)
        environment = self._environment()
        self.webs = [
            Web(environment, self._folder / f"web{number}.log", self._server) for number in range(self._counts[0])
        ]
        for web, own in zip(self.webs, self._each, strict=False):
            web.environment = {**environment, **own}
        worker = ["manage.py", "worker"]
        self.workers = [
            Process(worker, environment, self._folder / f"worker{number}.log") for number in range(self._counts[1])
        ]
        for process in (*self.webs, *self.workers):
            process.start()
            self._stack.callback(_end, process)
        for web in self.webs:
            web.wait()

    def _environment(self) -> dict[str, str]:
        settings = connection.settings_dict
        database = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{_host(settings)}/{settings['NAME']}"
        return {
            **os.environ,
            "DATABASE_URL": database,
            "REDIS_URL": self.redis.url,
            "OPENAI_BASE_URL": self.provider.url,
            "OPENAI_API_KEY": "test",
            "PYTHONUNBUFFERED": "1",
            # A few users say what thousands would.
            "LIMITS_APPLY": "0",
            # What fails in one test is no reason to leave an assistant alone in the next.
            "BREAKER_CALLS": "1000000000",
            **self._settings,
        }

    @property
    def addresses(self) -> list[str]:
        return [web.address for web in self.webs]

    def tracebacks(self) -> list[str]:
        """Logs that hold one; channels' receiver logs one for every second without Redis."""
        texts = [log.read_text() for log in self._folder.glob("*.log")]
        return [text for text in texts if "Traceback" in text]


def _host(settings: dict[str, object]) -> str:
    host = str(settings["HOST"]).replace("/", "%2F")
    return f"{host}:{settings['PORT']}" if settings["PORT"] else host


def _end(process: Process) -> None:
    if process.alive:
        process.go_on()
        process.kill()


def free_port() -> int:
    """A port on which nothing listens; not from `random`, which has the same seed in every process of `-n`."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)):
                return port
