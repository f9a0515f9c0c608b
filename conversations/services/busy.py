"""What becomes of unfinished answers when somebody asks for another one (`on_busy`, PROTOCOL.md section 3)."""

from collections.abc import Callable
from typing import Any

from chatproject.lib.errors import Problem
from conversations.appends import Decision, Draft, State
from conversations.models import Conversation, Message, Run
from conversations.permissions import Permission
from conversations.services import endings, teaming
from conversations.services.waking import enqueue, waking

DEFAULT = "enqueue"
SILENT = Problem("conflict", "People answer here; assistants are silent until it is handed back to them.")


def clean(policy: Any) -> str:
    """The name of a policy. Raises Problem `invalid`."""
    if (policy or DEFAULT) not in POLICIES:
        raise Problem("invalid", errors={"on_busy": [f"One of {', '.join(POLICIES)}."]})
    return str(policy or DEFAULT)


def making_way(state: State, policy: str) -> Decision:
    """What is written in front of a newly queued run, and the effects that wake a worker for it.

    Raises Problem `conflict` where people answer instead of assistants, `conversation_busy` (reject), `forbidden`
    (interrupt and rollback, for who may not stop answers).
    """
    if state.conversation.status in Conversation.HUMAN:
        raise SILENT
    return POLICIES[policy](state)


def _enqueue(state: State) -> Decision:
    """Answer after what was asked before."""
    return Decision([], waking(state))


def _reject(state: State) -> Decision:
    """Refuse the message while an answer is queued or running."""
    if _unfinished(state):
        raise Problem("conversation_busy", retry_after_ms=1000)
    return _enqueue(state)


def _interrupt(state: State) -> Decision:
    """Stop the running answer, whose text is kept, and those that wait."""
    state.require(Permission.STOP)
    stopped = endings.stop_all(state)
    return Decision(stopped.drafts, [*stopped.effects, enqueue(state.conversation.id)])


def _rollback(state: State) -> Decision:
    """As if it had not been asked: unfinished answers are stopped and deleted, and so are their questions where they
    are the author's own. An answer that was asked for once more gives its place back to the one before."""
    unfinished = _unfinished(state)
    stopped = _interrupt(state)
    undone = [draft for run in unfinished for draft in _undoing(state, run)]
    return Decision([*stopped.drafts, *_each_once(undone)], stopped.effects)


def _each_once(drafts: list[Draft]) -> list[Draft]:
    """Several answers may have been asked for by one question."""
    return [draft for place, draft in enumerate(drafts) if draft.data not in [one.data for one in drafts[:place]]]


def _unfinished(state: State) -> list[Run]:
    state.settle()
    return list(Run.objects.filter(conversation=state.conversation, ended_at=None).order_by("queued_seq"))


def _undoing(state: State, run: Run) -> list[Draft]:
    drafts = [_deletion(run.message)] if run.message else []
    if run.team:
        spoken = [_deletion(message) for message in teaming.said_by(state, run.team)]
        first = teaming.runs_of(state.conversation.id, run.team)[0]
        return [*spoken, *_undoing_question(state, first)]
    if run.branch_of:
        before = str(run.branch_of)
        return [*drafts, Draft("branch:select", {"message": before, "branch_of": before})] if run.message else drafts
    return [*drafts, *_undoing_question(state, run)]


def _undoing_question(state: State, run: Run) -> list[Draft]:
    """The deletion of what was asked, where that is the author's own."""
    question = state.message(run.reply_to)
    own = question.author_id == state.actor.id and question.status not in Message.GONE
    return [_deletion(question.id)] if own else []


def _deletion(message: Any) -> Draft:
    return Draft("message:delete", {"message": str(message)})


POLICIES: dict[str, Callable[[State], Decision]] = {
    "enqueue": _enqueue,
    "reject": _reject,
    "interrupt": _interrupt,
    "rollback": _rollback,
}
