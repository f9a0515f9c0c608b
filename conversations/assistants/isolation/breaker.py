"""The circuit breaker of each assistant and machine: after too many failures it is left alone for a while, then one
call tries.

All processes of a machine share what they know through Redis; while that is away, each goes by what it saw itself.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django.conf import settings

from chatproject.lib import metrics
from conversations.assistants.base import AssistantError, Throttled
from conversations.assistants.isolation import tallies
from conversations.assistants.isolation.calls import Call
from conversations.assistants.isolation.tallies import Own

log = logging.getLogger(__name__)

# How a call ends that says nothing about the assistant: the question, or the person, was the reason.
NO_FAILURE = frozenset({"message_deleted", "too_large", "assistant_busy", "provider_busy", "nobody_to_ask"})
# Seconds that a probe may take before another call may try.
PROBE_SECONDS = 60

# Not those of the loop, which an assistant that hangs may use up.
_threads = ThreadPoolExecutor(4, thread_name_prefix="breaker")
_own: dict[str, Own] = {}
T = TypeVar("T")


class Suspended(AssistantError):
    """The breaker is open."""

    def __init__(self) -> None:
        super().__init__("assistant_suspended", "This assistant failed too often, and is left alone for a while.")


@asynccontextmanager
async def watched(call: Call) -> AsyncIterator[None]:
    """Let the block make a call, and learn from what comes of it. Raises Suspended where none is made."""
    probe = await _in_thread(_admitted, call.name)
    if probe is None:
        await call.degraded("suspended")
        metrics.assistant_calls.labels(call.name, "suspended").inc()
        raise Suspended
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    except AssistantError as error:
        outcome = "other" if isinstance(error, Throttled) or error.code in NO_FAILURE else "failed"
        raise
    except Exception:
        outcome = "failed"
        raise
    finally:
        metrics.assistant_calls.labels(call.name, outcome).inc()
        if await _in_thread(_learn, call.name, outcome, probe):
            await call.degraded("errors")


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *arguments)


def state(name: str) -> str:
    """closed, open (left alone), half-open (about to be tried)."""
    until = _until(name)
    if not until:
        return "closed"
    return "open" if until > time.time() else "half-open"


def _admitted(name: str) -> bool | None:
    """None where no call may be made now; otherwise whether this one tries, because it is time to."""
    until = _until(name)
    if not until:
        return False
    return True if until <= time.time() and _may_probe(name) else None


def _until(name: str) -> float:
    shared = tallies.suspended_until(name)
    return _known(name).until if shared is None else shared


def _may_probe(name: str) -> bool:
    own, now = _known(name), time.time()
    if now - own.probing < PROBE_SECONDS or not tallies.claim_probe(name, PROBE_SECONDS):
        return False
    own.probing = now
    return True


def _learn(name: str, outcome: str, probe: bool) -> bool:
    """Whether it is left alone from now on. What was begun before it was says nothing about now."""
    if probe and outcome == "done":
        _close(name)
    elif probe and outcome == "failed":
        _open(name)
    elif probe:
        _forget_probe(name)
    return (probe and outcome == "failed") or (outcome in ("done", "failed") and _too_many(name, outcome == "failed"))


def _too_many(name: str, failed: bool) -> bool:
    """Count a call; open where too many failed."""
    calls, failures = _count(name, failed)
    if not failed or calls < settings.BREAKER_CALLS or _until(name):
        return False
    if failures * 100 <= calls * settings.BREAKER_ERROR_PERCENT:
        return False
    _open(name)
    return True


def _count(name: str, failed: bool) -> tuple[int, int]:
    """Calls of the last seconds, and how many of them failed: on this machine, or what this process saw."""
    own, now = _known(name).calls, time.time()
    own.append((now, failed))
    while own and own[0][0] < now - settings.BREAKER_WINDOW_SECONDS:
        own.popleft()
    shared = tallies.count(name, failed, settings.BREAKER_WINDOW_SECONDS)
    return shared or (len(own), sum(failed for _, failed in own))


def _open(name: str) -> None:
    until = time.time() + settings.BREAKER_OPEN_SECONDS
    own = _known(name)
    own.until, own.probing = until, 0.0
    tallies.suspend(name, until, settings.BREAKER_OPEN_SECONDS)
    tallies.release_probe(name)
    metrics.breaker_opened.labels(name).inc()
    metrics.breaker_open.labels(name).set(1)
    log.warning("the assistant %s fails too often and is left alone for a while", name)


def _close(name: str) -> None:
    _own[name] = Own()
    tallies.clear(name)
    metrics.breaker_open.labels(name).set(0)
    log.info("the assistant %s works again", name)


def _forget_probe(name: str) -> None:
    """A probe that said nothing: the next call may try."""
    _known(name).probing = 0.0
    tallies.release_probe(name)


def _known(name: str) -> Own:
    return _own.setdefault(name, Own())
