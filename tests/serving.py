"""Real `manage.py serve` processes for tests."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from chatproject.embedded.layout import Layout
from chatproject.embedded.orphans import end_orphans, find_orphans
from tests.leaks import leaks

BASE_DIR = Path(__file__).resolve().parent.parent
START_SECONDS = 120.0
# What a serve must not inherit from the tests: their own services.
OWN = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "PROMETHEUS_MULTIPROC_DIR", "PORT", "HOST")


@contextmanager
def data_dir(parent: Path | None = None, name: str = "data") -> Iterator[Path]:
    """A DATA_DIR that is not there yet, in a folder that the services' user may pass; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="chat-", dir=parent)).resolve()
    folder.chmod(0o711)
    path = folder / name
    try:
        yield path
    finally:
        end_orphans(find_orphans(path))
        for outside in (Layout(path).sockets, Layout(path).services):
            shutil.rmtree(outside, ignore_errors=True)
        shutil.rmtree(folder)


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Our environment for another process with a DATA_DIR of its own."""
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    return {**inherited, "DATA_DIR": str(data_dir), **settings}


def manage(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end, as in a second terminal."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=environment(data_dir, **settings),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def eventually(condition: Callable[[], object], seconds: float = 20) -> None:
    """Wait for `condition`; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        time.sleep(0.05)


class Serve:
    """A `manage.py serve`; `with` starts it, waits until it is ready, and ends it as Ctrl-C does."""

    def __init__(
        self,
        data_dir: Path,
        *,
        command: tuple[str, ...] = (sys.executable, "manage.py", "serve"),
        user: int | None = None,
        cwd: Path = BASE_DIR,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.command = command
        self.user = user
        self.cwd = cwd
        self.environment = environment(data_dir, PORT="0", **(settings or {}))
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        try:
            self.wait_for("Ready: ")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.stop()
        if kind is None:
            assert leaks(self.output) == []

    def read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            self.lines.extend(iter(output.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, seconds: float = START_SECONDS) -> str:
        """Wait until a line contains `text` and return the rest of it."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert self.process.poll() is None, f"serve ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"no {text!r} after {seconds} s:\n{self.output}"
            time.sleep(0.05)
        return self.output.split(text, 1)[1].split("\n", 1)[0]

    @property
    def url(self) -> str:
        """Its address, with a closing slash."""
        return self.wait_for("Ready: ")

    def answers(self) -> bool:
        """Whether its web processes answer HTTP."""
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def children(self) -> dict[str, psutil.Process]:
        """Its direct children, by the name that it gave them."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has just ended
                found[child.environ().get("CHATPROJECT_CHILD", "?")] = child
        return found

    def family(self) -> list[psutil.Process]:
        """All processes below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Signal it, and return its exit code when all that it printed is read."""
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        self.reader.join(seconds)
        return code

    def kill(self) -> None:
        """End it as kill -9 does: nothing of it can clean up."""
        self.process.kill()
        self.process.wait()
