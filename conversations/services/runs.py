"""Verbs on runs: claim, step, end, stop, interrupt. The conversation's lock makes one writer at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import event_types, eventlog
from conversations.access import Permission
from conversations.actors import STAFF, SYSTEM, Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Run, RunChunk
from conversations.privacy import drafts
from conversations.services import messages

NOTHING = Problem("conflict", "There is no run to claim here.")


@dataclass(frozen=True)
class Claim:
    """A worker's right to write one run, as long as `fence` is the run's."""

    conversation: UUID
    run: UUID
    message: UUID
    reply_to: UUID
    assistant: str
    fence: int

    @property
    def actor(self) -> Actor:
        return Actor.assistant(self.assistant)


def claim(*, conversation: UUID, worker: str) -> Claim | None:
    """Begin the oldest queued run, unless another is active: writes `run:start` and takes the lease."""
    run = _oldest_queued(conversation)
    if run is None:
        return None
    begun = Claim(conversation, run.id, new_id(), run.reply_to, run.assistant, run.fence + 1)
    start = Draft("run:start", {
        "run": str(run.id), "message": str(begun.message), "assistant": run.assistant, "reply_to": str(run.reply_to),
    })  # fmt: skip
    if run.branch_of:
        start.data["branch_of"] = str(run.branch_of)

    def decide(state: State) -> Decision:
        locked = state.lock_run(run.id)
        if state.conversation.active_run or locked.status != Run.Status.QUEUED or _oldest_queued(conversation) != run:
            raise NOTHING
        return Decision([start], [lambda: _take_lease(begun, worker)])

    try:
        committed = eventlog.append(Append(conversation, begun.actor, f"run:{run.id}:start", decide, body=worker))
    except Problem as problem:
        if problem.code.name in ("conflict", "not_found"):
            return None
        raise
    return None if committed.dup else begun


def step(*, claim: Claim, data: dict[str, Any], id: UUID | None = None) -> "Future[Committed]":
    """Write `run:step`; the same `step` id again replaces what it showed before. `run_not_active` when fenced off.

    With the `id` of the event, writing it again is harmless.
    """
    draft = Draft("run:step", {"run": str(claim.run), **data}, id=id or new_id())

    def decide(state: State) -> Decision:
        _check_fence(state.lock_run(claim.run), claim)
        return Decision([draft])

    cmid = f"run:{claim.run}:step:{draft.id}"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[draft]))


def end(
    *,
    claim: Claim,
    status: str,
    text: str,
    usage: dict[str, Any] | None = None,
    sources: list[dict[str, Any]] | None = None,
    error: dict[str, Any] | None = None,
) -> "Future[Committed]":
    """Write `run:end` for the worker that holds the claim; `text` is the answer as the assistant gave it.

    Fails with `run_not_active` when fenced off.
    """
    draft = _end_draft(claim.run, claim.message, status, text=text, usage=usage, sources=sources, error=error)

    def decide(state: State) -> Decision:
        run = state.lock_run(claim.run)
        _check_fence(run, claim)
        return Decision([draft], _after_end(state, run, status))

    cmid = f"run:{claim.run}:end"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[draft]))


def stop(*, user: User, run: Run) -> "Future[Committed]":
    """End a run for `user`: what is stored of its answer stays, its worker is fenced off and gives up.

    Fails with Problem `not_found`, `forbidden`, `run_not_active`.
    """

    def decide(state: State) -> Decision:
        state.require(Permission.STOP)
        return _stop(state, run)

    return eventlog.submit(Append(run.conversation_id, Actor.of(user), f"run:{run.id}:stop", decide))


def stop_as_staff(*, staff: User, run: Run) -> "Future[Committed]":
    """End a run as whoever runs the service, member or not: the log says `staff`, the audit entry who it was.

    Fails with Problem `not_found`, `run_not_active`.
    """

    def decide(state: State) -> Decision:
        decision = _stop(state, run)
        audited = partial(audit.record, actor=staff.id, action="run.stopped", target=("run", run.id))
        return Decision(decision.drafts, [*decision.effects, audited])

    return eventlog.submit(Append(run.conversation_id, STAFF, f"run:{run.id}:stop", decide))


def stop_all(state: State) -> Decision:
    """What ends every queued, running or waiting run of a conversation, as part of another decision."""
    state.settle()
    found = Run.objects.select_for_update().filter(conversation=state.conversation, ended_at=None)
    ends, effects = [], []
    for run in found.order_by("queued_seq"):
        ends.append(_end_from_store(state, run, Run.Status.STOPPED))
        effects += _closing(run, Run.Status.STOPPED)
    return Decision(ends, effects)


def interrupt(*, run: Run, is_dead: Callable[[Run], bool]) -> "Future[Committed]":
    """End a run whose worker is gone; `is_dead` is asked again under the lock."""

    def decide(state: State) -> Decision:
        locked = state.lock_run(run.id)
        if locked.ended_at or not is_dead(locked):
            raise Problem("run_not_active")
        error = {"code": "worker_lost", "message": "The worker that wrote this answer is gone."}
        return _end_with(state, locked, Run.Status.INTERRUPTED, error=error)

    return eventlog.submit(Append(run.conversation_id, SYSTEM, f"run:{run.id}:end", decide))


def taking_back(state: State, message: UUID) -> Decision:
    """What ends the queued answers to a message, inside another decision."""
    queued = Run.objects.filter(conversation=state.conversation, reply_to=message, status=Run.Status.QUEUED)
    ended = [_end_with(state, run, Run.Status.STOPPED) for run in queued.select_for_update()]
    return Decision([one.drafts[0] for one in ended], [effect for one in ended for effect in one.effects])


def abandon(state: State) -> Decision:
    """End everything that runs or waits, without its text: for a conversation that is being erased."""
    state.settle()
    unfinished = Run.objects.select_for_update().filter(conversation=state.conversation, ended_at=None)
    drafts: list[Draft] = []
    effects: list[Callable[[], object]] = []
    for run in unfinished.order_by("queued_seq"):
        drafts.append(_end_draft(run.id, run.message, Run.Status.STOPPED, text=""))
        effects += [partial(_close, run), partial(_count, run, Run.Status.STOPPED)]
    return Decision(drafts, effects)


def stored_text(run: Run, key: Any, after: int = 0) -> str:
    """What is stored of a running answer, `after` so many code points (where a piece ended); `key` is the
    conversation's data key."""
    return "".join(
        key.open(chunk.text, event_types.context(run.conversation_id, run.id, str(chunk.offset)))
        for chunk in RunChunk.objects.filter(run=run, offset__gte=after).order_by("offset")
    )


def _oldest_queued(conversation: UUID) -> Run | None:
    return Run.objects.filter(conversation=conversation, status=Run.Status.QUEUED).order_by("queued_seq").first()


def _take_lease(claim: Claim, worker: str) -> None:
    lease_until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    Run.objects.filter(id=claim.run).update(fence=claim.fence, lease_until=lease_until, worker=worker)


def _check_fence(run: Run, claim: Claim) -> None:
    if run.fence != claim.fence or run.status not in Run.ACTIVE:
        raise Problem("run_not_active", "This run was ended by somebody else.")


def _stop(state: State, run: Run) -> Decision:
    locked = state.lock_run(run.id)
    if locked.ended_at:
        raise Problem("run_not_active")
    return _end_with(state, locked, Run.Status.STOPPED)


def _end_with(state: State, run: Run, status: str, error: dict[str, Any] | None = None) -> Decision:
    return Decision([_end_from_store(state, run, status, error)], _after_end(state, run, status))


def _end_from_store(state: State, run: Run, status: str, error: dict[str, Any] | None = None) -> Draft:
    """`run:end` with what is stored of the answer."""
    text = stored_text(run, state.key)
    marks = drafts.marks_of_stored(text)
    return _end_draft(run.id, run.message, status, screened=True, text=text, usage=run.usage, error=error, **marks)


def _end_draft(run: UUID, message: UUID | None, status: str, screened: bool = False, **data: Any) -> Draft:
    given = {name: value for name, value in data.items() if value is not None}
    return Draft(
        "run:end",
        {
            "run": str(run),
            "message": str(message) if message else None,
            "status": str(status),
            "usage": None,
            **given,
        },
        screened=screened,
    )


def _after_end(state: State, run: Run, status: str) -> list[Callable[[], object]]:
    """Close the run, and wake a worker for the next."""
    state.settle()
    effects = _closing(run, status)
    if Run.objects.filter(conversation=state.conversation, status=Run.Status.QUEUED).exclude(id=run.id).exists():
        effects.append(messages.enqueue(state.conversation.id))
    return effects


def _closing(run: Run, status: str) -> list[Callable[[], object]]:
    return [partial(_close, run), partial(_count, run, status)]


def _close(run: Run) -> None:
    """Fence the worker off, and drop the chunks: the text is in `run:end` now."""
    Run.objects.filter(id=run.id).update(fence=run.fence + 1, lease_until=None)
    RunChunk.objects.filter(run=run.id).delete()


def _count(run: Run, status: str) -> None:
    metrics.runs.labels(run.assistant, status).inc()
