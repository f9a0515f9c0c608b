"""Assistants that are built: once per version and process, however many ask for one at once.

What is built stays until its definition changes; a failure stays for BUILD_RETRY_SECONDS. Building has threads of its
own, so that it may take long (an index, a model) without holding anything up.
"""

import asyncio
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from django.conf import settings

from chatproject.lib import metrics
from conversations.assistants import buildstates
from conversations.assistants.base import Assistant, AssistantError
from conversations.assistants.definitions import Definition

log = logging.getLogger(__name__)

_builders = ThreadPoolExecutor(4, thread_name_prefix="build")
_lock = Lock()
# By name: the definition's version and origin, what becomes of it, and since when.
_built: dict[str, tuple[tuple[str, str], "Future[Assistant]", float]] = {}


async def built(definition: Definition) -> Assistant:
    """The assistant of a definition. Raises AssistantError `assistant_not_built` where it cannot be made."""
    try:
        return await asyncio.shield(asyncio.wrap_future(_future(definition)))
    except asyncio.CancelledError:
        raise
    except Exception as error:
        raise AssistantError("assistant_not_built", "This assistant could not be set up; try again later.") from error


def _future(definition: Definition) -> "Future[Assistant]":
    """What builds it, begun by whoever comes first."""
    which = (definition.version, definition.origin)
    with _lock:
        known = _built.get(definition.name)
        if known is None or known[0] != which or _may_be_tried_again(*known[1:]):
            known = which, _builders.submit(_build, definition), time.monotonic()
            _built[definition.name] = known
        return known[1]


def _may_be_tried_again(building: "Future[Assistant]", since: float) -> bool:
    over = time.monotonic() - since > settings.BUILD_RETRY_SECONDS
    return building.done() and building.exception() is not None and over


def _build(definition: Definition) -> Assistant:
    """Build it, and tell everybody how that goes. Raises what building raised."""
    begun = time.monotonic()
    _tell(definition, "building")
    try:
        assistant = definition.build()
    except Exception as error:
        log.exception("the assistant %s could not be built", definition.name)
        _tell(definition, "failed", type(error).__name__)
        raise
    _tell(definition, "ready")
    metrics.assistant_build_seconds.labels(definition.name).observe(time.monotonic() - begun)
    return assistant


def _tell(definition: Definition, state: str, error: str = "") -> None:
    metrics.assistant_builds.labels(definition.name, state).inc()
    buildstates.tell(definition.name, definition.version, state, error)
