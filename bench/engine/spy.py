"""Where a server's time goes: py-spy, which looks at a process from outside."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.engine.servers import Server

SPY = str(Path(sys.executable).with_name("py-spy"))
END_SECONDS = 60


@contextmanager
def profiling(server: Server, file: Path) -> Iterator[None]:
    """Write a profile of what `server` does meanwhile, of the moments in which Python runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Without a pause for each look, which stops a process of a hundred threads for most of the time.
    how = ["--gil", "--nonblocking", "--rate", "200", "--format", "speedscope" if file.suffix == ".json" else "raw"]
    command = [SPY, "record", "--pid", str(server.process.pid), *how, "--output", str(file)]
    spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait(END_SECONDS)
