"""Places where a fault test makes the process die, as `kill -9` would.

Off unless the environment names one: CRASH_AT=after_commit kills the first process that gets there, once
the file in CRASH_ONCE (if set) could be created, so that only one of several processes dies.
"""

import os
import signal

_armed = os.environ.get("CRASH_AT")
_once = os.environ.get("CRASH_ONCE")


def hit(name: str) -> None:
    """Die here if this failpoint is armed; costs one comparison otherwise."""
    if name == _armed and _claim():
        os.kill(os.getpid(), signal.SIGKILL)


def _claim() -> bool:
    if not _once:
        return True
    try:
        os.close(os.open(_once, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
