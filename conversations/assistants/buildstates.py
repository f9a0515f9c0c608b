"""How far each process is with building an assistant, as all of them know it: in Redis, and it may be forgotten."""

import os
import socket
from typing import Any

import msgspec

from chatproject.lib import clock
from chatproject.lib.volatile import volatile

# What nobody says for so long has gone with its process.
KEPT_SECONDS = 24 * 3600
PROCESS = f"{socket.gethostname()[:40]}:{os.getpid()}"
# The first of these that a process is in is the state of all.
ORDER = ("failed", "building", "ready")


def tell(name: str, version: str, state: str, error: str = "") -> None:
    """Say how far this process is: building, ready or failed."""
    told = {"version": version, "state": state, "error": error, "at": clock.rfc3339(clock.now())}
    volatile().tally(_key(name), PROCESS, msgspec.json.encode(told), KEPT_SECONDS)


def of(name: str, version: str) -> dict[str, Any]:
    """`{state, error?, at?}` of this version: failed, building, ready; `idle` where no process has begun with it, or
    Redis is away and nobody knows."""
    told = [msgspec.json.decode(one) for one in volatile().tallied(_key(name)).values()]
    current = [one for one in told if one["version"] == version]
    for state in ORDER:
        latest = max((one for one in current if one["state"] == state), key=lambda one: one["at"], default=None)
        if latest:
            return {"state": state, "at": latest["at"], **({"error": latest["error"]} if latest["error"] else {})}
    return {"state": "idle"}


def _key(name: str) -> str:
    return f"assistants:{name}"
