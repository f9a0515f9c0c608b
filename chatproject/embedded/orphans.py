"""Finding and ending what a killed `serve` left behind."""

import os
import signal
from pathlib import Path

import psutil

from chatproject.embedded.processes import MARK, NAME_MARK

PATIENCE_SECONDS = 10
# SIGINT is PostgreSQL's fast shutdown; on SIGTERM it would wait for its clients.
SERVICES = {"redis": signal.SIGTERM, "postgres": signal.SIGINT}


def find_orphans(data_dir: Path) -> list[psutil.Process]:
    """Return the processes that a supervisor of `data_dir` started; call it only while holding the lock.

    The mark in a process's environment is proof: neither a recycled pid nor another DATA_DIR's server has it.
    """
    ourselves = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    everybody = [process for process in psutil.process_iter() if process.pid not in ourselves]
    return [process for process in everybody if environment(process).get(MARK) == str(data_dir)]


def environment(process: psutil.Process) -> dict[str, str]:
    """Return what `process` was started with; nothing where it is gone or another user's."""
    try:
        return process.environ()
    except (psutil.Error, OSError):
        return {}


def end_orphans(orphans: list[psutil.Process]) -> None:
    """End those who use the services first, then the services, each as its supervisor would have."""
    names = {process: environment(process).get(NAME_MARK, "") for process in orphans}
    end_group([process for process in orphans if names[process] not in SERVICES])
    for service in SERVICES:
        end_group([process for process in orphans if names[process] == service], SERVICES[service])


def end_group(group: list[psutil.Process], number: signal.Signals = signal.SIGTERM) -> None:
    """Signal the heads of a group, whose own children follow them (PostgreSQL's do), and kill what stays."""
    members = {process.pid for process in group}
    for process in group:
        if parent_of(process) not in members:
            send(process, number)
    _, stubborn = psutil.wait_procs(group, timeout=PATIENCE_SECONDS)
    for process in stubborn:
        send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=PATIENCE_SECONDS)


def parent_of(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return 0


def send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
        process.resume()
    except psutil.NoSuchProcess:
        pass
