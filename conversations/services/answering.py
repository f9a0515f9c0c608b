"""Verbs of people on runs that wait: answering what was asked, changing or taking back what is queued."""

from concurrent.futures import Future
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import asking, event_types, eventlog, questions
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Message, Run
from conversations.permissions import Permission
from conversations.services import endings, messages, revisions
from conversations.services.validation import clean_text
from conversations.services.waking import enqueue


def answer(*, user: User, run: Run, step: str, value: Any, cmid: str | None = None) -> "Future[Committed]":
    """Answer what a run asked, so that it goes on: writes `run:answer`. The first answer counts.

    Fails with Problem `invalid` (not what was asked for), `not_found`, `forbidden`, `conversation_closed`,
    `run_not_active` (it does not wait, or no longer).
    """
    questions.check_value(value)
    draft = Draft("run:answer", {"run": str(run.id), "step": step, "value": value})

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        messages.check_open(state)
        locked = state.lock_run(run.id)
        asked = _waiting_for(locked, step)
        questions.check(value, _schema(state, locked, asked))
        return Decision([draft], [enqueue(state.conversation.id)])

    cmid = cmid or f"answer:{draft.id}"
    body = [step, value]
    return eventlog.submit(Append(run.conversation_id, Actor.of(user), cmid, decide, body=body, drafts=[draft]))


def change(*, user: User, run: Run, text: Any, cmid: str | None = None) -> "Future[Committed]":
    """Give the question of a queued run another text, as `revisions.edit` does.

    Fails with Problem `conflict` (it is being answered), `run_not_active`, and what editing fails with.
    """
    draft = Draft("message:edit", {"message": str(run.reply_to), "text": clean_text(text, required=False)})

    def decide(state: State) -> Decision:
        _check_queued(state.lock_run(run.id))
        return revisions.editing(state, user, draft)

    cmid = cmid or f"edit:{draft.id}"
    return eventlog.submit(Append(run.conversation_id, Actor.of(user), cmid, decide, body=text, drafts=[draft]))


def take_back(*, user: User, run: Run, cmid: str | None = None) -> "Future[Committed]":
    """End a run before it begins; its question is deleted, where it is the user's own and has no other answer.

    Fails with Problem `conflict` (it is being answered), `run_not_active`, `not_found`, `forbidden`.
    """

    def decide(state: State) -> Decision:
        state.require(Permission.STOP)
        _check_queued(state.lock_run(run.id))
        ended = endings.stopping(state, run)
        question = state.message(run.reply_to)
        if _answered_otherwise(run) or question.author_id != str(user.id) or question.status in Message.GONE:
            return ended
        return Decision([*ended.drafts, Draft("message:delete", {"message": str(question.id)})], ended.effects)

    return eventlog.submit(Append(run.conversation_id, Actor.of(user), cmid or f"run:{run.id}:taken-back", decide))


def _answered_otherwise(run: Run) -> bool:
    """Whether the question has, or may get, another answer; one that was taken back is none."""
    others = Run.objects.filter(conversation=run.conversation_id, reply_to=run.reply_to).exclude(id=run.id)
    return others.exclude(status=Run.Status.STOPPED, message=None).exists()


def _waiting_for(run: Run, step: str) -> dict[str, Any]:
    """What the run asked under this step. Raises Problem `run_not_active`, `invalid`."""
    if run.status != Run.Status.WAITING:
        raise Problem("run_not_active", "This run does not wait for an answer (any more).")
    for one in run.steps:
        if one["step"] == step and asking.is_ask(one) and one["status"] == asking.WAITING:
            return one
    raise Problem("invalid", errors={"step": ["The run does not wait for this."]})


def _schema(state: State, run: Run, asked: dict[str, Any]) -> dict[str, Any]:
    place = event_types.context(run.conversation_id, UUID(asked["event"]), "schema")
    opened: dict[str, Any] = state.key.open(asked["schema"], place)
    return opened


def _check_queued(run: Run) -> None:
    """Raise Problem `run_not_active` or `conflict` unless the run has yet to begin."""
    if run.ended_at:
        raise Problem("run_not_active")
    if run.status != Run.Status.QUEUED:
        raise Problem("conflict", "This is being answered already.")
