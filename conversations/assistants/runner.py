"""Taking turns: claim a run, let its assistant answer, end it. Runs in a worker's event loop."""

import asyncio
import logging
import os
import socket
from typing import Any
from uuid import UUID

from django.conf import settings

from chatproject.lib import rows
from chatproject.lib.caller import note
from chatproject.lib.errors import Problem
from chatproject.lib.limits import wait_for
from chatproject.lib.threads import in_thread
from conversations.assistants import calling, replay, rhythm, teams
from conversations.assistants.base import AssistantError
from conversations.assistants.persistence import persistently
from conversations.assistants.turn import Asked, HandedOver, RunningTurn
from conversations.models import Run
from conversations.services import handoff, runs

log = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
RENEW = """
UPDATE conversations_run AS run SET lease_until = now() + make_interval(secs => %s)
FROM unnest(%s::uuid[], %s::int[]) AS held(id, fence)
WHERE run.id = held.id AND run.fence = held.fence AND run.status = ANY(%s)
RETURNING run.id
"""
NODE = socket.gethostname()[:40]
WORKER = f"{NODE}:{os.getpid()}"

_active: dict[UUID, tuple[runs.Claim, asyncio.Task[None]]] = {}


async def take_turn(conversation: UUID) -> None:
    """Claim and answer the oldest queued run of a conversation; nothing where another is active.

    Where this machine has called assistants too often, it stays queued for a moment.
    """
    await wait_for("assistant_calls", NODE)
    turn = await in_thread(_begun, conversation)
    if turn is None:
        return
    claim = turn.claim
    note(conversation=conversation, run=claim.run)
    task = asyncio.create_task(_answer(turn))
    _active[claim.run] = claim, task
    try:
        await _end(turn, **await _outcome(task))
    except Asked:
        log.info("run %s waits for a person", claim.run)
    except HandedOver as handed:
        await _hand_over(turn, handed.reason)
    except Problem as problem:
        log.info("run %s ended elsewhere (%s)", claim.run, problem.code.name)
    finally:
        await turn.settle()
        _active.pop(claim.run, None)


def _begun(conversation: UUID) -> RunningTurn | None:
    claim = runs.claim(conversation=conversation, worker=WORKER)
    return RunningTurn(claim, replay.of(claim)) if claim else None


async def watch() -> None:
    """Renew the leases of this process and give up runs that were ended by somebody else; for ever."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        claims = [claim for claim, _ in _active.values()]
        try:
            ours = await in_thread(_renew, claims) if claims else set()
        except Exception as error:
            log.warning("leases could not be renewed: %s", type(error).__name__)
            continue
        for claim in claims:
            if claim.run not in ours and claim.run in _active:
                _active[claim.run][1].cancel()


def _renew(claims: list[runs.Claim]) -> set[UUID]:
    """Renew all leases with one statement; the runs that are still ours."""
    held = [claim.run for claim in claims], [claim.fence for claim in claims]
    return {id_ for (id_,) in rows.execute(RENEW, settings.LEASE_SECONDS, *held, list(Run.ACTIVE))}


async def _answer(turn: RunningTurn) -> None:
    """Have it answered; of a team, also find out who speaks next."""
    try:
        with rhythm.counted():
            await calling.answer(turn.claim.assistant, turn)
        await turn.finish()
    except Problem:
        raise
    except Exception:
        await teams.follow(turn, Run.Status.FAILED)
        raise
    await teams.follow(turn, Run.Status.COMPLETED)


async def _outcome(task: asyncio.Task[None]) -> dict:
    """How the answer ended. Raises Problem where the run is not ours any more."""
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise Problem("run_not_active") from None
        task.cancel()
        await asyncio.wait({task})
        return _failure("interrupted", "worker_stopped", "The worker was stopped.")
    except AssistantError as error:
        return _failure("failed", error.code, error.message)
    except Problem:
        raise
    except Exception:
        log.exception("an assistant failed")
        return _failure("failed", "assistant_error", "The assistant failed unexpectedly.")
    return {"status": "completed"}


def _failure(status: str, code: str, message: str) -> dict:
    return {"status": status, "error": {"code": code, "message": message}}


async def _end(turn: RunningTurn, *, status: str, error: dict | None = None) -> None:
    await turn.settle()
    following = teams.interrupted(turn) if status == Run.Status.INTERRUPTED else turn.following
    told = {**_answer_of(turn), "error": error, "following": following}
    await persistently(lambda: runs.end(claim=turn.claim, status=status, **told), long=True)


async def _hand_over(turn: RunningTurn, reason: str) -> None:
    await turn.settle()
    await persistently(lambda: handoff.hand_over(claim=turn.claim, reason=reason, **_answer_of(turn)), long=True)


def _answer_of(turn: RunningTurn) -> dict[str, Any]:
    return {"text": turn.text, "usage": turn.spent, "sources": turn.sources, "parts": turn.parts}
