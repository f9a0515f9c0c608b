"""Verbs that take a conversation back to an earlier point of its log."""

from concurrent.futures import Future
from functools import partial
from typing import Any
from uuid import UUID

from accounts import audit
from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import eventlog
from conversations.actors import STAFF, Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.permissions import Permission
from conversations.services import endings


def restore(*, user: User, conversation: UUID, to_seq: int, cmid: str | None = None) -> "Future[Committed]":
    """Have texts and visibility of all messages be those at `to_seq`, 1 to the head.

    Appends `run:end` for every run that has not ended, and `conversation:restore`. Nothing is deleted: a later
    restore to a point before this one undoes it. Fails with Problem `not_found` (also for another
    number), `forbidden`, `conversation_closed` (erased).
    """
    return _append(Actor.of(user), conversation, to_seq, cmid, audited_for=None)


def restore_as_staff(*, staff: User, conversation: UUID, to_seq: int) -> "Future[Committed]":
    """The same by whoever runs the service: the log says `staff`, the audit entry who it was."""
    return _append(STAFF, conversation, to_seq, None, audited_for=staff)


def _append(
    actor: Actor, conversation: UUID, to_seq: int, cmid: str | None, *, audited_for: User | None
) -> "Future[Committed]":
    restored = Draft("conversation:restore", {"to_seq": to_seq})

    def decide(state: State) -> Decision:
        state.require(Permission.RESTORE)
        head = state.conversation.last_seq
        if not 1 <= to_seq <= head:
            raise Problem("not_found", f"The log has the numbers 1 to {head}.")
        stopped = endings.stop_all(state)
        return Decision([*stopped.drafts, restored], [*stopped.effects, *_audit(audited_for, conversation, to_seq)])

    cmid = cmid or f"restore:{restored.id}"
    return eventlog.submit(
        Append(conversation, actor, cmid, decide, body=to_seq, drafts=[restored], main=restored, long=True)
    )


def _audit(staff: User | None, conversation: UUID, to_seq: int) -> list[Any]:
    if staff is None:
        return []
    target = ("conversation", conversation)
    return [partial(audit.record, actor=staff.id, action="conversation.restored", target=target, to_seq=to_seq)]
