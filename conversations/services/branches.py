"""Verbs on alternative answers: ask for another one, choose one."""

from concurrent.futures import Future
from functools import partial
from uuid import UUID

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import eventlog, quotas
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.assistants import registry
from conversations.models import Message, Run
from conversations.permissions import Permission
from conversations.services import busy, messages
from conversations.services.revisions import check_there
from conversations.services.validation import clean_assistant


def select(*, user: User, conversation: UUID, message: UUID, cmid: str | None = None) -> "Future[Committed]":
    """Choose one of several answers: page and assistants see it, and none of the others.

    Fails with Problem `not_found`, `forbidden`, `conflict` (deleted).
    """
    draft = Draft("branch:select", {"message": str(message)})

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        row = state.message(message)
        check_there(row)
        draft.data["branch_of"] = str(row.group)
        return Decision([] if row.selected else [draft])

    return eventlog.submit(Append(conversation, Actor.of(user), cmid or f"select:{draft.id}", decide))


def regenerate(
    *,
    user: User,
    conversation: UUID,
    message: UUID,
    assistant: str | None = None,
    on_busy: str | None = None,
    cmid: str | None = None,
    noted: messages.Noted | None = None,
) -> "Future[Committed]":
    """Queue another answer beside the one that `message` is, or that it has; a first one where it has none.

    It is selected as soon as it begins. `noted` is called in the same transaction with the data of the event. Fails
    with Problem `invalid` (no assistant), `not_found`, `forbidden`, `conversation_closed`, `conflict` (nothing there to
    answer, or its first answer is yet to come), and with `on_busy="reject"` `conversation_busy`.
    """
    named = clean_assistant(assistant)
    policy = busy.clean(on_busy)
    draft = Draft("run:queue", {"run": str(new_id())})

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        messages.check_open(state)
        question, answer = _question_and_answer(state, message)
        check_there(question)
        way = busy.making_way(state, policy)
        draft.data |= {
            "reply_to": str(question.id),
            "reply_seq": question.seq,
            "assistant": named or _same_assistant(state, answer),
            "branch_of": str(answer.group) if answer else None,
        }
        quotas.ask(user.id)
        more = [partial(noted, draft.data)] if noted else []
        return Decision([*way.drafts, draft], [*way.effects, *more])

    body = [str(message), assistant]
    cmid = cmid or f"regenerate:{draft.id}"
    return eventlog.submit(Append(conversation, Actor.of(user), cmid, decide, body=body, main=draft))


def _question_and_answer(state: State, message: UUID) -> tuple[Message, Message | None]:
    """What is to be answered, and an answer that it has. Raises Problem `not_found`, `conflict`."""
    row = state.message(message)
    if row.role == Message.Role.ASSISTANT:
        if row.reply_to is None:
            raise Problem("conflict", "This answer belongs to no message.")
        return state.message(row.reply_to), row
    answers = Message.objects.filter(conversation=state.conversation, reply_to=row.id, role=Message.Role.ASSISTANT)
    answer = answers.order_by("seq").first()
    if answer is None and Run.objects.filter(conversation=state.conversation, reply_to=row.id, ended_at=None).exists():
        raise Problem("conflict", "An answer to this message is queued already.")
    return row, answer


def _same_assistant(state: State, answer: Message | None) -> str:
    """Who gave the answer, else whoever answers in this conversation. Raises Problem `invalid`."""
    run = answer and answer.run and Run.objects.filter(id=answer.run).first()
    for name in (run.assistant if run else None, state.conversation.assistant):
        if name in registry.available():
            return str(name)
    raise Problem("invalid", errors={"assistant": ["Nobody answers in this conversation; name an assistant."]})
