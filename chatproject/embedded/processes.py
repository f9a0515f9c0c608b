"""Starting and ending child processes so that none is left over."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from chatproject.embedded.account import Account, identity

# A child carries the DATA_DIR that it belongs to, and its name, in its environment: so it is found, and told
# from strangers, after its supervisor was killed, whatever became of pid files and pid numbers.
MARK = "CHATPROJECT_CHILD_OF"
NAME_MARK = "CHATPROJECT_CHILD"

LOG_BYTES = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True)
class Program:
    """What to run, and how to end it."""

    name: str
    argv: Sequence[str | Path]
    data_dir: Path
    environment: Mapping[str, str]
    account: Account | None = None
    # Text for its standard input: passwords are never on a command line, where everybody sees them.
    stdin: str = ""
    # Where its output goes; None: to the terminal.
    log: Path | None = None
    cwd: Path = field(default=Path("/"))
    pass_fds: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    # Seconds that it may take to stop before it is killed.
    patience: float = 10
    # Services are ended after the programs that use them.
    service: bool = False

    @property
    def last_signal(self) -> signal.Signals:
        """What the kernel sends it when its supervisor was killed.

        Services shut down in order. The others lose their services at this moment, so there is nothing that they
        could still do well: what they must not lose is in the log.
        """
        return self.stop_signal if self.service else signal.SIGKILL

    def marked_environment(self) -> dict[str, str]:
        return {**self.environment, MARK: str(self.data_dir), NAME_MARK: self.name}


def spawn(program: Program, stdout: int | None = None) -> subprocess.Popen[str]:
    """Start `program` in a session of its own: Ctrl-C reaches the supervisor only, which keeps the order.

    Raises OSError where it cannot be executed.
    """
    log = open_log(program.log) if program.log else None
    try:
        process = subprocess.Popen(
            program.argv,
            env=program.marked_environment(),
            cwd=program.cwd,
            text=True,
            stdin=subprocess.PIPE if program.stdin else subprocess.DEVNULL,
            stdout=log if stdout is None else stdout,
            stderr=log,
            pass_fds=program.pass_fds,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid(), program.last_signal),
            **identity(program.account),
        )
    finally:
        if log is not None:
            os.close(log)
    feed(process, program.stdin)
    return process


def feed(process: subprocess.Popen[str], text: str) -> None:
    """Write `text` to the standard input of `process` and close it; its death is for others to notice."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(text)
        process.stdin.close()
    except BrokenPipeError:
        pass


def die_with_parent(parent: int, last_signal: int) -> None:
    """Ask the kernel (Linux) to signal this process when `parent` is gone; runs in the child.

    It runs after the change of user, which would cancel it, and looks whether `parent` went before that.
    """
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, last_signal)
    if os.getppid() != parent:
        os._exit(1)


def open_log(path: Path) -> int:
    """Open a log to write at its end; a long one is set aside as `<name>.1` first."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.rename(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def end(children: Sequence[tuple[subprocess.Popen[str], Program]]) -> None:
    """Ask all of them to stop at once, wait as long as the most patient says, then kill what is left."""
    for process, program in children:
        process.send_signal(program.stop_signal)
    deadline = time.monotonic() + max((program.patience for _, program in children), default=0)
    for process, _ in children:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
