"""Verbs on runs: claim, step, ask, end, stop, interrupt. The conversation's lock makes one writer at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.models import User
from chatproject.lib import rows
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import eventlog
from conversations.actors import STAFF, SYSTEM, Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.assistants import registry
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import attaching, endings, teaming
from conversations.services.teaming import Following

TAKE_LEASE = """
UPDATE conversations_run SET fence = %s, lease_until = statement_timestamp() + make_interval(secs => %s), worker = %s
WHERE id = %s
"""
IF_FREE = "AND fence = %s AND status = 'running' AND lease_until IS NULL"
# What goes on comes before what begins.
NEXT = f"""
SELECT {rows.columns(Run, "r")} FROM conversations_run r
WHERE conversation_id = %s AND (status = 'queued' OR (status = 'running' AND lease_until IS NULL))
ORDER BY status = 'queued', {Run.IN_TURN}, queued_seq LIMIT 1
"""  # noqa: S608
LOCK_QUEUED = f"""
SELECT id FROM conversations_run WHERE conversation_id = %s AND status = 'queued'
ORDER BY {Run.IN_TURN}, queued_seq LIMIT 1 FOR UPDATE
"""  # noqa: S608
NOTHING = Problem("conflict", "There is no run to claim here.")


@dataclass(frozen=True)
class Claim:
    """A worker's right to write one run, as long as `fence` is the run's. With `resumed` it goes on with a run that
    waited for a person. `team` says of which team it is a turn (teaming.py)."""

    conversation: UUID
    run: UUID
    message: UUID
    reply_to: UUID
    assistant: str
    fence: int
    version: str | None = None
    resumed: bool = False
    team: dict[str, Any] | None = None
    queued_seq: int = 0
    asked_by: UUID | None = None

    @property
    def actor(self) -> Actor:
        return Actor.assistant(self.assistant)


def claim(*, conversation: UUID, worker: str) -> Claim | None:
    """Begin the oldest queued run, unless another is active: writes `run:start` and takes the lease. A run whose
    question to a person was answered goes on instead."""
    run = next(rows.made(Run, rows.execute(NEXT, conversation)), None)
    if run is None:
        return None
    return _begin(run, worker) if run.status == Run.Status.QUEUED else _resume(run, worker)


def _begin(run: Run, worker: str) -> Claim | None:
    conversation = run.conversation_id
    version = registry.version(run.assistant)
    place = (conversation, run.id, new_id(), run.reply_to)
    begun = Claim(*place, run.assistant, run.fence + 1, version, **_more(run))
    start = Draft("run:start", {
        "run": str(run.id), "message": str(begun.message), "assistant": run.assistant, "version": version,
        "reply_to": str(run.reply_to),
    })  # fmt: skip
    if run.branch_of:
        start.data["branch_of"] = str(run.branch_of)

    def decide(state: State) -> Decision:
        state.settle()
        if state.conversation.active_run or rows.execute(LOCK_QUEUED, conversation).fetchone() != (run.id,):
            raise NOTHING
        return Decision([start], [lambda: _take_lease(begun, worker)])

    try:
        committed = eventlog.append(Append(conversation, begun.actor, f"run:{run.id}:start", decide, body=worker))
    except Problem as problem:
        if problem.code.name in ("conflict", "not_found"):
            return None
        raise
    return None if committed.dup else begun


def _resume(run: Run, worker: str) -> Claim | None:
    """The lease of a running run that nobody holds: the number of rows says who of many gets it."""
    if run.message is None:
        return None
    place = (run.conversation_id, run.id, run.message, run.reply_to)
    claim = Claim(*place, run.assistant, run.fence + 1, run.version, resumed=True, **_more(run))
    given = rows.execute(f"{TAKE_LEASE} {IF_FREE}", *_lease(claim, worker), run.fence)
    return claim if given.rowcount else None


def _more(run: Run) -> dict[str, Any]:
    return {"team": run.team, "queued_seq": run.queued_seq, "asked_by": run.requested_by}


def step(*, claim: Claim, data: dict[str, Any], id: UUID | None = None) -> "Future[Committed]":
    """Write `run:step`; the same `step` id again replaces what it showed before. `run_not_active` when fenced off.

    With the `id` of the event, writing it again is harmless.
    """
    draft = Draft("run:step", {"run": str(claim.run), **data}, id=id or new_id())

    def decide(state: State) -> Decision:
        check_fence(state.lock_run(claim.run), claim)
        return Decision([draft])

    cmid = f"run:{claim.run}:step:{draft.id}"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[draft]))


def ask(*, claim: Claim, data: dict[str, Any], id: UUID) -> "Future[Committed]":
    """Write `run:ask` and give the lease back: the run waits for a person (services/answering.py), whatever becomes
    of its worker. Fails with `run_not_active` when fenced off."""
    draft = Draft("run:ask", {"run": str(claim.run), **data}, id=id)

    def decide(state: State) -> Decision:
        check_fence(state.lock_run(claim.run), claim)
        return Decision([draft], [partial(_give_back, claim)])

    cmid = f"run:{claim.run}:ask:{draft.id}"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[draft]))


def rest(*, claim: Claim) -> None:
    """Give the lease of a run back that has nothing to do for the moment: it goes on, in whatever process, as after a
    question that was answered. Raises Problem `run_not_active` when fenced off."""
    held = Run.objects.filter(id=claim.run, fence=claim.fence, status=Run.Status.RUNNING)
    if not held.update(fence=claim.fence + 1, lease_until=None):
        raise Problem("run_not_active", "This run was ended by somebody else.")


def end(
    *,
    claim: Claim,
    status: str,
    text: str,
    usage: dict[str, Any] | None = None,
    sources: list[dict[str, Any]] | None = None,
    parts: list[dict[str, Any]] | None = None,
    error: dict[str, Any] | None = None,
    following: Following | None = None,
) -> "Future[Committed]":
    """Write `run:end` for the worker that holds the claim; `text` is the answer as the assistant gave it, `parts` the
    files that it made. `following` is the next turn of a team, which is queued in the same commit.

    Fails with `run_not_active` when fenced off.
    """
    given = {"sources": sources, "parts": parts or None, "error": error}
    draft = endings.end_draft(claim.run, claim.message, status, screened=False, text=text, **given)

    def decide(state: State) -> Decision:
        run = state.lock_run(claim.run)
        check_fence(run, claim)
        if parts:
            draft.data["parts_tokens"] = attaching.tokens(parts)
        endings.settle(draft, run, usage)
        ended = Decision([draft], endings.after_end(state, run, status, draft.data["usage"]))
        return teaming.going_on(state, run, ended, following)

    cmid = f"run:{claim.run}:end"
    return eventlog.submit(Append(claim.conversation, claim.actor, cmid, decide, drafts=[draft]))


def stop(*, user: User, run: Run) -> "Future[Committed]":
    """End a run for `user`: what is stored of its answer stays, its worker is fenced off and gives up. A team ends
    with it, whichever of its turns is meant.

    Fails with Problem `not_found`, `forbidden`, `run_not_active`.
    """

    def decide(state: State) -> Decision:
        state.require(Permission.STOP)
        return endings.stopping(state, teaming.current(state, run))

    return eventlog.submit(Append(run.conversation_id, Actor.of(user), f"run:{run.id}:stop", decide))


def stop_as_staff(*, staff: User, run: Run) -> "Future[Committed]":
    """End a run as whoever runs the service, member or not: the log says `staff`, the audit entry who it was.

    Fails with Problem `not_found`, `run_not_active`.
    """

    def decide(state: State) -> Decision:
        decision = endings.stopping(state, teaming.current(state, run))
        audited = partial(audit.record, actor=staff.id, action="run.stopped", target=("run", run.id))
        return Decision(decision.drafts, [*decision.effects, audited])

    return eventlog.submit(Append(run.conversation_id, STAFF, f"run:{run.id}:stop", decide))


def interrupt(*, run: Run, is_dead: Callable[[Run], bool]) -> "Future[Committed]":
    """End a run whose worker is gone; `is_dead` is asked again under the lock. The turn of a team is queued again."""

    def decide(state: State) -> Decision:
        locked = state.lock_run(run.id)
        if locked.ended_at or not is_dead(locked):
            raise Problem("run_not_active")
        error = {"code": "worker_lost", "message": "The worker that wrote this answer is gone."}
        ended = endings.end_with(state, locked, Run.Status.INTERRUPTED, error=error)
        again = teaming.once_more(locked.assistant, locked.team) if locked.team else None
        return teaming.going_on(state, locked, ended, again)

    return eventlog.submit(Append(run.conversation_id, SYSTEM, f"run:{run.id}:end", decide))


def _take_lease(claim: Claim, worker: str) -> None:
    rows.execute(TAKE_LEASE, *_lease(claim, worker))


def _lease(claim: Claim, worker: str) -> tuple[int, float, str, UUID]:
    return claim.fence, settings.LEASE_SECONDS, worker, claim.run


def _give_back(claim: Claim) -> None:
    Run.objects.filter(id=claim.run).update(fence=claim.fence + 1, lease_until=None)


def check_fence(run: Run, claim: Claim) -> None:
    """Raise Problem `run_not_active` where the claim holds no longer."""
    if run.fence != claim.fence or run.status not in Run.ACTIVE:
        raise Problem("run_not_active", "This run was ended by somebody else.")
