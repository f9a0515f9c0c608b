"""The only way from writers to rooms: hints, best effort.

Writers hand frames over and go on; a thread with an event loop of its own publishes what has gathered through the
channel layer, in one round trip, then tells the rooms of this process. Where Redis is away, hints to other processes
are dropped for half a second at a time: every room polls the log.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

from chatproject.lib import metrics
from realtime import hints
from realtime.batches import batches

log = logging.getLogger(__name__)

Frames = Mapping[UUID, Sequence[dict[str, Any]]]
Items = Mapping[UUID, Sequence[hints.Item]]
PAUSE_SECONDS = 0.5
GATHER_MAX = 1000

# Tells a user's streams to look for themselves; no client sees it.
WAKE = "stream.wake"
CONCERNS_USER: dict[str, Callable[[dict[str, Any]], str]] = {
    "conversation:new": lambda frame: frame["actor"]["id"],
    "member:add": lambda frame: frame["data"]["user"],
    "member:remove": lambda frame: frame["data"]["user"],
}

# Hubs of this process: called in this module's thread, whatever became of the way through Redis.
listeners: set[Callable[[Items], None]] = set()
_waiting: SimpleQueue[Frames] = SimpleQueue()
_start = threading.Lock()
_thread: threading.Thread | None = None


def publish(frames: Frames) -> None:
    """Hint committed frames, or frames that are not in the log, to all rooms; never waits, never raises."""
    global _thread
    _waiting.put(frames)
    if _thread is None:
        with _start:
            if _thread is None:
                _thread = threading.Thread(target=lambda: asyncio.run(_run()), name="broadcast", daemon=True)
                _thread.start()


async def _run() -> None:
    silent_until = 0.0
    while True:
        gathered = _items(_gather())
        if time.monotonic() < silent_until:
            metrics.hints_failed.inc()
        elif not await _group_send(gathered):
            silent_until = time.monotonic() + PAUSE_SECONDS
        for listener in tuple(listeners):
            listener(gathered)


def _gather() -> dict[UUID, list[dict[str, Any]]]:
    """Everything that waits, by conversation, in order; waits for the first. Blocks this thread's loop, on
    which nothing else runs."""
    gathered: dict[UUID, list[dict[str, Any]]] = {}
    frames: Frames | None = _waiting.get()
    count = 0
    while frames is not None:
        for conversation, some in frames.items():
            gathered.setdefault(conversation, []).extend(some)
            count += len(some)
        frames = _next() if count < GATHER_MAX else None
    return gathered


def _next() -> Frames | None:
    try:
        return _waiting.get_nowait()
    except Empty:
        return None


def _items(gathered: Frames) -> Items:
    """Each frame encoded once, for whoever is told."""
    return {id_: [hints.item_of(frame) for frame in frames] for id_, frames in {**gathered, **_wakes(gathered)}.items()}


def _wakes(gathered: Frames) -> dict[UUID, list[dict[str, Any]]]:
    """A hint for each user to whom a conversation opened or closed, for his streams (realtime/streampoll.py)."""
    users = (CONCERNS_USER[frame["type"]](frame) for frames in gathered.values() for frame in frames
             if frame["type"] in CONCERNS_USER)  # fmt: skip
    return {UUID(user): [{"type": WAKE}] for user in users}


async def _group_send(gathered: Items) -> bool:
    """One round trip for all rooms, more where one has more than fits; tells whether Redis took it in time."""
    try:
        layer: Any = get_channel_layer()
        for messages in _rounds(gathered):
            await asyncio.wait_for(layer.send_groups(messages), settings.HINT_TIMEOUT_MS / 1000)
    except Exception as error:
        metrics.hints_failed.inc()
        log.warning("hints could not be published (%s); rooms poll", type(error).__name__)
        return False
    return True


def _rounds(gathered: Items) -> Iterator[dict[UUID, dict[str, Any]]]:
    """A message for each room, none larger than one to a client, until all have got everything: what processes hold
    of a message while they send and read it is several times its size."""
    rest = {id_: batches(items) for id_, items in gathered.items()}
    while found := {id_: batch for id_, left in rest.items() if (batch := next(left, None))}:
        yield {id_: hints.pack(id_, batch.items) for id_, batch in found.items()}
