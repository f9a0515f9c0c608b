"""Python programs that begin as copies of a process that has loaded the libraries (as forks of a fork server).

Loading them is two thirds of a start, and these tests start hundreds of processes. Our own code and settings are loaded
by each; what signals do, and the exit code, are as of any other process.
"""

import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from tests.serving import BASE_DIR

FORKS = multiprocessing.get_context("forkserver")
# How a process ended can be read once, and every start asks all of them.
ASKING = Lock()
FORKS.set_forkserver_preload(["tests.faults.loaded"])


class Copy:
    """`python …` with these arguments, as far as tests need of subprocess.Popen."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._process = FORKS.Process(target=become, args=(arguments, dict(environment), str(log)), daemon=True)
        with ASKING:
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        with ASKING:
            return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """The exit code, once it has ended. Raises TimeoutError where it does not."""
        begun = time.monotonic()
        while (code := self.poll()) is None:
            if seconds is not None and time.monotonic() - begun > seconds:
                raise TimeoutError(f"process {self.pid} did not end within {seconds} s")
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def become(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """Be the program: `-m module …` or `file …`."""
    os.chdir(BASE_DIR)
    os.environ.clear()
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for standard in (1, 2):
        os.dup2(output, standard)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
