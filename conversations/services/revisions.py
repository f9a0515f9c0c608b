"""Verbs on what was said: edit, delete, pin. Nothing is destroyed: the log keeps every text."""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import eventlog, wire
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Message
from conversations.permissions import Permission
from conversations.services import attaching, endings, messages
from conversations.services.validation import clean_text


@dataclass(frozen=True)
class Precondition:
    """Which state of a message its change is meant for.

    `version` is the `changed_seq` that it must have (If-Match); `base_seq` the head that its author has seen:
    nothing newer may have changed the message. Without either, whoever writes last wins.
    """

    version: int | None = None
    base_seq: int | None = None

    def check(self, state: State, row: Message) -> None:
        """Raise Problem `stale` with the current `version`."""
        stale = self.version is not None and self.version != row.changed_seq
        if self.base_seq is not None:
            stale |= not row.changed_seq <= self.base_seq <= state.conversation.last_seq
        if stale:
            raise Problem("stale", extra={"version": row.changed_seq})


ANY = Precondition()


def edit(
    *,
    user: User,
    conversation: UUID,
    message: UUID,
    text: Any,
    precondition: Precondition = ANY,
    cmid: str | None = None,
) -> "Future[Committed]":
    """Give one's own message another text, which may be empty where it carries files; the same text again
    writes nothing.

    Fails with Problem `invalid`, `too_large`, `not_found`, `forbidden` (somebody else's), `conflict` (deleted),
    `conversation_closed`, `stale`.
    """
    draft = Draft("message:edit", {"message": str(message), "text": clean_text(text, required=False)})

    def decide(state: State) -> Decision:
        return editing(state, user, draft, precondition)

    cmid = cmid or f"edit:{draft.id}"
    return eventlog.submit(Append(conversation, Actor.of(user), cmid, decide, body=text, drafts=[draft]))


def editing(state: State, user: User, draft: Draft, precondition: Precondition = ANY) -> Decision:
    """What `draft`, a `message:edit` by `user`, comes to. Raises Problem as `edit` says."""
    state.require(Permission.SEND)
    row = state.message(UUID(draft.data["message"]))
    if not _is_own(row, user):
        raise Problem("forbidden", "Only its author may edit a message.")
    messages.check_open(state)
    check_there(row)
    clean_text(draft.data["text"], required=not row.parts)
    precondition.check(state, row)
    if wire.message_text(row) == draft.data["text"]:
        return Decision([])
    draft.data["base_seq"] = row.changed_seq
    if row.parts:
        draft.data["parts_tokens"] = attaching.tokens(row.parts)
    return Decision([draft])


def delete(
    *, user: User, conversation: UUID, message: UUID, precondition: Precondition = ANY, cmid: str | None = None
) -> "Future[Committed]":
    """Show a message no longer, to people or assistants; answers to it that are still queued are taken back.

    One's own; those of assistants by editors; any by the owner. Fails with Problem `not_found`, `forbidden`,
    `conflict` (it is being written), `stale`. What is deleted already stays so.
    """
    draft = Draft("message:delete", {"message": str(message)})

    def decide(state: State) -> Decision:
        row = state.message(message)
        state.require(_permission_to_delete(row, user))
        if row.status in Message.GONE:
            return Decision([])
        if row.status == Message.Status.STREAMING:
            raise Problem("conflict", "This answer is still being written; stop it first.")
        precondition.check(state, row)
        taken_back = endings.taking_back(state, row.id)
        return Decision([draft, *taken_back.drafts], taken_back.effects)

    return eventlog.submit(Append(conversation, Actor.of(user), cmid or f"delete:{draft.id}", decide))


def pin(*, user: User, conversation: UUID, message: UUID, on: bool, cmid: str | None = None) -> "Future[Committed]":
    """Keep a message in every context, or no longer. Fails with Problem `not_found`, `forbidden`, `conflict`."""
    draft = Draft("message:pin", {"message": str(message), "on": on})

    def decide(state: State) -> Decision:
        state.require(Permission.SEND)
        row = state.message(message)
        check_there(row)
        return Decision([] if row.pinned == on else [draft])

    return eventlog.submit(Append(conversation, Actor.of(user), cmid or f"pin:{draft.id}", decide, body=on))


def check_there(row: Message) -> None:
    """Raise Problem `conflict` where the message was deleted, or hidden by a restore."""
    if row.status in Message.GONE:
        raise Problem("conflict", "This message was deleted.")


def _is_own(row: Message, user: User) -> bool:
    return row.author_id == str(user.id) and row.role in (Message.Role.USER, Message.Role.AGENT)


def _permission_to_delete(row: Message, user: User) -> Permission:
    if _is_own(row, user):
        return Permission.SEND
    return Permission.CHANGE if row.role == Message.Role.ASSISTANT else Permission.MODERATE
