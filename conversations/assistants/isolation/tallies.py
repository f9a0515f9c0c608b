"""What a breaker counts: in Redis for all processes of this machine, in this process while Redis is away."""

import socket
import time
from collections import deque
from dataclasses import dataclass, field

import msgspec

from chatproject.lib.volatile import volatile

NODE = socket.gethostname()[:40]
# Calls are counted in stretches of so many seconds.
STRETCH = 10


@dataclass
class Own:
    """One assistant, as this process knows it: calls as (when, whether it failed), and until when it is suspended;
    0 where it is not."""

    calls: deque[tuple[float, bool]] = field(default_factory=deque)
    until: float = 0.0
    probing: float = 0.0


def count(name: str, failed: bool, window: int) -> tuple[int, int] | None:
    """Count a call; all of the last `window` seconds, and how many of them failed. None where Redis is away."""
    stretch = int(time.time()) // STRETCH
    keys = [_key(name, str(stretch - back)) for back in range(window // STRETCH + 1)]
    found = volatile().count(keys, "failed" if failed else "done", window + 2 * STRETCH)
    if found is None:
        return None
    failures = sum(int(one.get(b"failed", 0)) for one in found)
    return failures + sum(int(one.get(b"done", 0)) for one in found), failures


def suspended_until(name: str) -> float | None:
    """Until when it is suspended; in the past where it is to be probed; 0 where all is well. None: Redis is away."""
    found = volatile().look(_key(name, "suspended"))
    return None if found is None else msgspec.json.decode(found, type=float) if found else 0.0


def suspend(name: str, until: float, seconds: int) -> None:
    """Keep it beyond `until`, when it is probed."""
    volatile().put(_key(name, "suspended"), msgspec.json.encode(until), seconds + 24 * 3600)


def claim_probe(name: str, seconds: int) -> bool:
    """Whether this call is the one that tries."""
    return volatile().claim(_key(name, "probe"), seconds)


def clear(name: str) -> None:
    """All is well again: nothing of what was counted counts any more."""
    stretch = int(time.time()) // STRETCH
    for what in ("suspended", "probe", *(str(stretch - back) for back in range(12))):
        volatile().drop(_key(name, what))


def release_probe(name: str) -> None:
    volatile().drop(_key(name, "probe"))


def _key(name: str, what: str) -> str:
    return f"breaker:{NODE}:{name}:{what}"
