"""How runs end inside other decisions: what is written, and what follows from it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from chatproject.lib import metrics, rows
from chatproject.lib.errors import Problem
from conversations import event_types
from conversations.appends import Decision, Draft, State
from conversations.models import Run, RunChunk
from conversations.privacy import drafts as privacy
from conversations.services import attaching, madefiles, settling
from conversations.services.waking import enqueue
from conversations.usage import measuring
from conversations.usage.settling import settled
from conversations.usage.tokens import Usage

OTHERS = "SELECT 1 FROM conversations_run WHERE conversation_id = %s AND status = 'queued' AND id <> %s LIMIT 1"


def stopping(state: State, run: Run) -> Decision:
    """What ends one run, as part of another decision. Raises Problem `run_not_active`."""
    locked = state.lock_run(run.id)
    if locked.ended_at:
        raise Problem("run_not_active")
    return end_with(state, locked, Run.Status.STOPPED)


def stop_all(state: State, but: UUID | None = None) -> Decision:
    """What ends every queued, running or waiting run of a conversation, `but` one, as part of another decision."""
    state.settle()
    found = Run.objects.select_for_update().filter(conversation=state.conversation, ended_at=None)
    ends, effects = [], []
    for run in found.order_by("queued_seq"):
        if run.id == but:
            continue
        ends.append(_end_from_store(state, run, Run.Status.STOPPED))
        effects += closing(run, Run.Status.STOPPED, ends[-1].data["usage"])
    return Decision(ends, effects)


def taking_back(state: State, message: UUID) -> Decision:
    """What ends the queued answers to a message, inside another decision."""
    queued = Run.objects.filter(conversation=state.conversation, reply_to=message, status=Run.Status.QUEUED)
    ended = [end_with(state, run, Run.Status.STOPPED) for run in queued.select_for_update()]
    return Decision([one.drafts[0] for one in ended], [effect for one in ended for effect in one.effects])


def abandon(state: State) -> Decision:
    """End everything that runs or waits, without its text: for a conversation that is being erased."""
    state.settle()
    unfinished = Run.objects.select_for_update().filter(conversation=state.conversation, ended_at=None)
    drafts: list[Draft] = []
    effects: list[Callable[[], object]] = []
    for run in unfinished.order_by("queued_seq"):
        usage = settled(run, run.usage, status=Run.Status.STOPPED, tokens={})
        drafts.append(end_draft(run.id, run.message, Run.Status.STOPPED, text="", usage=usage))
        effects += closing(run, Run.Status.STOPPED, usage)
    return Decision(drafts, effects)


def end_with(state: State, run: Run, status: str, error: dict[str, Any] | None = None) -> Decision:
    end = _end_from_store(state, run, status, error)
    return Decision([end], after_end(state, run, status, end.data["usage"]))


def _end_from_store(state: State, run: Run, status: str, error: dict[str, Any] | None = None) -> Draft:
    """`run:end` with what is stored of the answer."""
    text = stored_text(run, state.key)
    marks = privacy.marks_of_stored(text)
    made = madefiles.parts_of(run.id, run.conversation_id)
    more = {"parts": made, "parts_tokens": attaching.tokens(made)} if made else {}
    end = end_draft(run.id, run.message, status, screened=True, text=text, error=error, **marks, **more)
    end.seal(state.key, run.conversation_id)
    settle(end, run, None)
    return end


def settle(end: Draft, run: Run, given: Any) -> None:
    """Say in a sealed `run:end` what the run took and what it costs; `given` is what its assistant said of it."""
    end.data["usage"] = settled(run, given, status=end.data["status"], tokens=end.data.get("tokens") or {})


def end_draft(run: UUID, message: UUID | None, status: str, screened: bool = False, **data: Any) -> Draft:
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


def after_end(state: State, run: Run, status: str, usage: Usage | None) -> list[Callable[[], object]]:
    """Close the run, and wake a worker for the next."""
    state.settle()
    effects = closing(run, status, usage)
    if rows.execute(OTHERS, state.conversation.id, run.id).fetchone():
        effects.append(enqueue(state.conversation.id))
    return effects


def closing(run: Run, status: str, usage: Usage | None) -> list[Callable[[], object]]:
    """The effects of a run's end."""
    return [partial(_close, run), partial(_count, run, status, usage), partial(settling.settle, run.id, status)]


def _close(run: Run) -> None:
    """Fence the worker off, and drop the chunks: the text is in `run:end` now."""
    with rows.one_round_trip():
        rows.execute("UPDATE conversations_run SET fence = %s, lease_until = NULL WHERE id = %s", run.fence + 1, run.id)
        rows.execute("DELETE FROM conversations_runchunk WHERE run_id = %s", run.id)


def _count(run: Run, status: str, usage: Usage | None) -> None:
    metrics.runs.labels(run.assistant, status).inc()
    if usage:
        measuring.note(run.assistant, usage)


def stored_text(run: Run, key: Any, after: int = 0) -> str:
    """What is stored of a running answer, `after` so many code points (where a piece ended); `key` is the
    conversation's data key."""
    return "".join(
        key.open(chunk.text, event_types.context(run.conversation_id, run.id, str(chunk.offset)))
        for chunk in RunChunk.objects.filter(run=run, offset__gte=after).order_by("offset")
    )
