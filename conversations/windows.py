"""The newest messages of conversations, ready to be sent: in this process, and in Redis for all of them.

What is kept is only used under the version of the conversation that PostgreSQL names at that moment, so that
nothing stale is ever shown. In Redis it is encrypted with the conversation's own key, and gone with it.
"""

import hashlib
import time
import zlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models.expressions import RawSQL

from chatproject.lib import metrics
from chatproject.lib.crypto import CryptoError
from chatproject.lib.volatile import volatile
from conversations import epochs, erasures, keys, markdown, wire
from conversations.models import Conversation

Json = dict[str, Any]
# Other code makes other forms of the same messages.
SHAPING = [*sorted(Path(wire.__path__[0]).glob("*.py")), Path(str(markdown.__file__))]
FORMAT = hashlib.sha256(b"".join(path.read_bytes() for path in SHAPING)).hexdigest()[:16]
# Any change of the row changes `xmin`, also one that writes no event (PostgreSQL documentation, "System Columns").
ROW = RawSQL('"conversations_conversation"."xmin"::text', [])


class Version(msgspec.Struct, frozen=True):
    """`name` differs whenever messages may; what is `cold` was put away, and is kept for longer."""

    name: str
    cold: bool


class Window(msgspec.Struct, array_like=True):
    """Up to `limit` newest messages as compressed JSON, of one version, since `made` (seconds since 1970)."""

    version: str
    limit: int
    made: float
    body: bytes


def version(conversation: UUID, limit: int) -> Version | None:
    """The version of a conversation now; None where its newest messages cannot be kept: an answer is running,
    which grows without a change of the row, or more are asked for than a window holds."""
    if not settings.HOT_WINDOW_SECONDS or limit > settings.HOT_WINDOW_MESSAGES:
        return None
    rows = Conversation.objects.filter(id=conversation, active_run=None, erased_at=None).annotate(row=ROW)
    found = rows.values_list("epoch", "last_seq", "row", "status").first()
    if found is None:
        return None
    epoch, head, row, status = found
    return Version(f"{FORMAT}:{epochs.visible(epoch)}:{head}:{row}", status == Conversation.Status.ARCHIVED)


def find(conversation: UUID, current: Version, limit: int) -> list[Json] | None:
    """At least the `limit` newest messages under the current version, from memory or from Redis."""
    for place, read in (("memory", _memory.get), ("redis", _from_redis)):
        window = read(conversation)
        if window and window.version == current.name and window.limit >= limit and _is_young(window, current):
            if place == "redis":
                _memory.put(conversation, window)
                _slide(conversation, window, current)
            metrics.windows.labels(place).inc()
            messages: list[Json] = msgspec.json.decode(zlib.decompress(window.body))
            return messages
    metrics.windows.labels("miss").inc()
    return None


def keep(conversation: UUID, current: Version, limit: int, messages: list[Json]) -> None:
    """Keep the `limit` newest messages, which were read under the version `current`."""
    body = zlib.compress(msgspec.json.encode(messages), 1)
    key = keys.find(conversation)
    if key is None or len(body) > settings.HOT_WINDOW_BYTES // 8:
        return
    window = Window(current.name, limit, time.time(), body)
    _memory.put(conversation, window)
    sealed = key.seal_bytes(msgspec.msgpack.encode(window), _context(conversation))
    volatile().put(_name(conversation), sealed, _life(window, current))


def forget(conversation: UUID) -> None:
    """Drop what is kept. Where Redis is away its copy stays, and without the key it is of no use to anybody."""
    _memory.drop(conversation)
    volatile().drop(_name(conversation))


class _Memory:
    """The windows that were used last, HOT_WINDOW_BYTES of them."""

    def __init__(self) -> None:
        self._windows: OrderedDict[UUID, Window] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, conversation: UUID) -> Window | None:
        with self._lock:
            found = self._windows.get(conversation)
            if found:
                self._windows.move_to_end(conversation)
            return found

    def put(self, conversation: UUID, window: Window) -> None:
        erasures.watch()
        with self._lock:
            self._remove(conversation)
            self._windows[conversation] = window
            self._size += len(window.body)
            while self._size > settings.HOT_WINDOW_BYTES:
                self._remove(next(iter(self._windows)))

    def drop(self, conversation: UUID) -> None:
        with self._lock:
            self._remove(conversation)

    def _remove(self, conversation: UUID) -> None:
        gone = self._windows.pop(conversation, None)
        self._size -= len(gone.body) if gone else 0


_memory = _Memory()
erasures.FORGETTERS.append(forget)


def _from_redis(conversation: UUID) -> Window | None:
    sealed = volatile().get(_name(conversation))
    key = keys.find(conversation) if sealed else None
    if sealed is None or key is None:
        return None
    try:
        return msgspec.msgpack.decode(key.open_bytes(sealed, _context(conversation)), type=Window)
    except (CryptoError, msgspec.DecodeError):
        return None


def _is_young(window: Window, current: Version) -> bool:
    return current.cold or time.time() - window.made < settings.HOT_WINDOW_MAX_SECONDS


def _slide(conversation: UUID, window: Window, current: Version) -> None:
    if not current.cold:
        volatile().keep(_name(conversation), _life(window, current))


def _life(window: Window, current: Version) -> int:
    """Seconds that Redis is to keep a window from now on: what is read lives on, but not for ever."""
    if current.cold:
        return settings.COLD_WINDOW_SECONDS
    left = int(window.made + settings.HOT_WINDOW_MAX_SECONDS - time.time())
    return max(1, min(settings.HOT_WINDOW_SECONDS, left))


def _name(conversation: UUID) -> str:
    return f"window:{conversation.hex}"


def _context(conversation: UUID) -> str:
    return f"{conversation.hex}|window"
