"""Keeps child processes running, and ends them in the right order."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from chatproject.embedded.errors import StartError, Stopped
from chatproject.embedded.processes import Program, end, spawn
from chatproject.embedded.progress import Progress

TICK_SECONDS = 0.1
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
# A child that lived this long is forgiven its earlier deaths.
STEADY_SECONDS = 30.0


@dataclass
class Child:
    """A program that is to run as long as its supervisor does."""

    program: Program
    process: subprocess.Popen[str]
    started: float
    deaths: int = 0
    # When it is to be started again; None while it runs.
    due: float | None = None

    def exit_code(self) -> int | None:
        """Return how it ended, or None while it runs."""
        return self.process.poll()


class Supervisor:
    """The children of one `serve`, in the order in which they were started; for one thread."""

    def __init__(self, progress: Progress, on_death: Callable[[int], None] | None = None) -> None:
        """`on_death` is told the pid of each child that ended by itself."""
        self.progress = progress
        self.on_death = on_death
        self.children: list[Child] = []
        self.stopping = False

    def ask_to_stop(self) -> None:
        """End whatever is being waited for, soon; safe in a signal handler."""
        self.stopping = True

    def pause(self, seconds: float = TICK_SECONDS) -> None:
        """Sleep a little. Raises Stopped when somebody asked to stop."""
        if self.stopping:
            raise Stopped
        time.sleep(seconds)

    def start(self, program: Program) -> Child:
        """Start `program` and keep it."""
        child = Child(program, launch(program), time.monotonic())
        self.children.append(child)
        return child

    def run(self, program: Program) -> str:
        """Run `program` to its end and return its standard output, which must be short.

        Raises StartError when it fails, and Stopped (after ending it) when somebody asked to stop.
        """
        process = launch(program, subprocess.PIPE)
        try:
            while process.poll() is None:
                self.pause()
        except Stopped:
            end([(process, program)])
            raise
        output, _ = process.communicate()
        if process.returncode:
            raise StartError(f"{program.name} failed ({ending(process.returncode)}); {advice(program)}")
        return output

    def wait_until(self, ready: Callable[[], bool], child: Child, seconds: float) -> None:
        """Wait until `ready` says so. Raises StartError when `child` ends before, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            code = child.exit_code()
            if code is not None:
                raise StartError(f"{child.program.name} {ending(code)} while starting; {advice(child.program)}")
            if time.monotonic() > deadline:
                raise StartError(f"{child.program.name} was not ready after {seconds:.0f} s; {advice(child.program)}")
            self.pause()

    def watch(self) -> None:
        """Restart children that die, with growing delays, until somebody asks to stop (Stopped)."""
        while True:
            for child in self.children:
                self.tend(child, time.monotonic())
            self.pause()

    def tend(self, child: Child, now: float) -> None:
        """Notice the death of one child, or start it again when it is time."""
        if child.due is not None:
            if now >= child.due:
                self.revive(child, now)
        elif (code := child.exit_code()) is not None:
            self.mourn(child, code, now)

    def mourn(self, child: Child, code: int, now: float) -> None:
        """Say that a child died and when it will be back."""
        child.deaths = child.deaths + 1 if now - child.started < STEADY_SECONDS else 1
        delay = min(FIRST_DELAY_SECONDS * 2 ** (child.deaths - 1), LONGEST_DELAY_SECONDS)
        child.due = now + delay
        if self.on_death:
            self.on_death(child.process.pid)
        name = f"{child.program.name} (process {child.process.pid})"
        self.progress.say(f"{name} {ending(code)}; starting it again in {delay:g} s.")

    def revive(self, child: Child, now: float) -> None:
        child.process = launch(child.program)
        child.started, child.due = now, None
        self.progress.say(f"{child.program.name} runs again (process {child.process.pid}).")

    def stop(self) -> None:
        """End all children: first those who use the services, then the services."""
        for service in (False, True):
            alive = [child for child in self.children if child.program.service == service and child.exit_code() is None]
            end([(child.process, child.program) for child in alive])
        self.children.clear()


def launch(program: Program, stdout: int | None = None) -> subprocess.Popen[str]:
    """Start `program`. Raises StartError where it cannot be executed."""
    try:
        return spawn(program, stdout)
    except OSError as error:
        raise StartError(f"{program.argv[0]} cannot be started ({error.strerror}): install it again.") from error


def ending(code: int) -> str:
    """Return how a process ended, in words."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def advice(program: Program) -> str:
    """Return where its reasons can be read."""
    return f"see {program.log}." if program.log else "its reasons stand above."
