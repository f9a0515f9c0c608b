"""Server-sent events as text, and the last one of a stream that cannot go on."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import wraps
from typing import ParamSpec

from chatproject.lib import metrics
from chatproject.lib.database import as_problem
from realtime.hints import Item
from realtime.protocol import encode, error_frame

P = ParamSpec("P")

log = logging.getLogger(__name__)

RETRY = b"retry: 1000\n\n"
COMMENT = b": alive\n\n"


def event_bytes(item: Item, id_: str = "") -> bytes:
    """A frame as a server-sent event, with an `id` where there is one."""
    id_line = f"id: {id_}\n" if id_ else ""
    return f"{id_line}event: {item.type}\ndata: {item.text}\n\n".encode()


def explained(make: Callable[P, AsyncGenerator[bytes, None]]) -> Callable[P, AsyncIterator[bytes]]:
    """A stream that fails says so by an `error`, as a socket does, and ends: its status was sent long ago."""

    @wraps(make)
    async def stream(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[bytes]:
        try:
            async with aclosing(make(*args, **kwargs)) as pieces:
                async for piece in pieces:
                    yield piece
        except Exception as error:
            yield _failure(error)

    return stream


def _failure(error: Exception) -> bytes:
    problem = as_problem(error)
    if problem.code.name == "internal":
        log.error("a stream failed", exc_info=error)
    metrics.errors.labels("sse", problem.code.name).inc()
    return event_bytes(Item(0, "error", encode(error_frame(problem))))
