"""Verbs on conversations: create, change, archive. Each queues one append and returns its future."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.models import User
from accounts.services import users
from accounts.services.idempotency import Once
from chatproject.lib import clock
from chatproject.lib.clock import rfc3339
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import actions, eventlog, keys
from conversations.actions import Action, Sending
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Conversation
from conversations.permissions import Permission
from conversations.services import busy, handoff, messages
from conversations.services.beginning import beginning
from conversations.services.validation import (
    clean_assistant,
    clean_cmid,
    clean_metadata,
    clean_role,
    clean_tags,
    clean_text,
    clean_title,
)

CREATE_ROUTE = "POST conversations"
ARCHIVED = Conversation.Status.ARCHIVED.value
CHANGEABLE_STATUS = (Conversation.Status.OPEN.value, Conversation.Status.CLOSED.value, ARCHIVED)


class AlreadyCreated(Problem):
    """This Idempotency-Key made a conversation before: `conversation`."""

    def __init__(self, conversation: UUID) -> None:
        super().__init__("conflict")
        self.conversation = conversation


@dataclass(frozen=True)
class NewMember:
    user: User
    role: str


def create(
    *,
    user: User,
    title: str | None = None,
    assistant: str | None = None,
    metadata: dict[str, Any] | None = None,
    members: Sequence[dict[str, Any]] = (),
    message: str | dict[str, Any] | None = None,
    template: str | None = None,
    inputs: dict[str, Any] | None = None,
    temporary: bool = False,
    idempotency_key: str | None = None,
) -> "Future[Committed]":
    """Begin a conversation, with its first `message` in the same transaction where given.

    `members` are `{user: id or username, role}`, `message` is a text or `{text, cmid?, action?}`, `template` is
    a slug or an id, and `inputs` what it asks for; what is `temporary` is erased after TEMPORARY_HOURS. Fails
    with Problem `invalid`, `too_large`, `not_found` (a member), `idempotency_mismatch`, or AlreadyCreated where
    the key was used for the same request.
    """
    conversation = Conversation(id=new_id(), owner=user)
    key = DataKey.generate()
    conversation.data_key = keys.wrap(key, conversation.id)
    sent = {
        "title": clean_title(title),
        "assistant": clean_assistant(assistant),
        "metadata": clean_metadata(metadata or {}),
    }
    start = beginning(user, template, inputs)
    new = Draft("conversation:new", {**start.under(sent), **_expiry(temporary)})
    invited = _new_members(user, members)
    first, act, cmid = _first_message(message)
    drafts = [new, *(_member_draft(member) for member in invited), *start.drafts]
    body = [sent, [[str(member.user.id), member.role] for member in invited], message, temporary]
    body += [template, inputs] if template is not None else []
    once = Once(user, CREATE_ROUTE, idempotency_key, body) if idempotency_key else None

    def decide(state: State) -> Decision:
        effects: list[Callable[[], object]] = [partial(_audit, user, "conversation.created", conversation.id)]
        effects += _remembering(state, once)
        if first is None:
            return Decision(drafts, effects)
        sending = Sending(user, first, new.data["assistant"], busy.DEFAULT, ahead=len(drafts))
        made = messages.acting(state, act, sending)
        return Decision([*drafts, *made.drafts], [*effects, *made.effects])

    keys.remember(conversation.id, key)
    return eventlog.submit(
        Append(
            conversation=conversation.id,
            actor=Actor.of(user),
            cmid=cmid or f"new:{conversation.id}",
            decide=decide,
            body=body,
            drafts=[*drafts, *([first] if first else [])],
            main=first or new,
            create=conversation,
            key=key,
        )
    )


def _remembering(state: State, once: Once | None) -> list[Callable[[], None]]:
    """The effect that keeps an Idempotency-Key. Raises AlreadyCreated where it came before."""
    if once is None:
        return []
    state.settle()
    before = once.claim()
    if before:
        raise AlreadyCreated(before)
    return [partial(once.remember, state.conversation.id)]


def _expiry(temporary: bool) -> dict[str, Any]:
    if not temporary:
        return {}
    return {"expires_at": rfc3339(clock.now() + timedelta(hours=settings.TEMPORARY_HOURS))}


def update(
    *, user: User, conversation: UUID, changes: dict[str, Any], version: int | None = None, cmid: str | None = None
) -> "Future[Committed]":
    """Change title, status, tags, assistant or metadata. With `version`, only the current one: Problem `stale`.

    Archiving, and taking back out of the archive, is for who may archive.
    """
    cleaned = {name: _CLEAN[name](changes[name]) for name in _CLEAN if name in changes}
    if not cleaned:
        raise Problem("invalid", "Nothing to change: send title, status, tags, assistant or metadata.")
    change = Draft("conversation:update", cleaned)

    def decide(state: State) -> Decision:
        state.require(Permission.CHANGE)
        if ARCHIVED in (cleaned.get("status"), state.conversation.status) and "status" in cleaned:
            state.require(Permission.ARCHIVE)
        if version is not None and version != state.conversation.version:
            raise Problem("stale", extra={"version": state.conversation.version})
        if _is_so(state.conversation, cleaned):
            return Decision([])
        return Decision([change, *(handoff.departing(state) if "status" in cleaned else ())])

    return eventlog.submit(
        Append(conversation, Actor.of(user), cmid or f"update:{change.id}", decide, body=cleaned, drafts=[change])
    )


def archive(*, user: User, conversation: UUID, cmid: str | None = None) -> "Future[Committed]":
    """Take a conversation out of the list; it can be opened again by `update(status=open)`. Once more is nothing."""
    change = Draft("conversation:update", {"status": ARCHIVED})

    def decide(state: State) -> Decision:
        state.require(Permission.ARCHIVE)
        if state.conversation.status == ARCHIVED:
            return Decision([])
        drafts = [change, *handoff.departing(state)]
        return Decision(drafts, [lambda: _audit(user, "conversation.archived", conversation)])

    return eventlog.submit(
        Append(conversation, Actor.of(user), cmid or f"archive:{change.id}", decide, drafts=[change])
    )


def _is_so(row: Conversation, changes: dict[str, Any]) -> bool:
    """Whether nothing would change. A title is an envelope: setting one always counts."""
    return "title" not in changes and all(getattr(row, name) == value for name, value in changes.items())


def _clean_status(status: Any) -> str:
    if status not in CHANGEABLE_STATUS:
        raise Problem("invalid", errors={"status": [f"One of {', '.join(CHANGEABLE_STATUS)}."]})
    return str(status)


_CLEAN = {
    "title": clean_title,
    "status": _clean_status,
    "tags": clean_tags,
    "assistant": clean_assistant,
    "metadata": clean_metadata,
}


def _first_message(message: Any) -> tuple[Draft | None, Action, str | None]:
    """The event of a first message, its action, and its cmid where it has one."""
    given = message if isinstance(message, dict) else {"text": message}
    if given.keys() - {"text", "cmid", "action"}:
        raise Problem("invalid", errors={"message": ["A text, or an object {text, cmid?, action?}."]})
    name, act = actions.get(given.get("action"))
    if message is None:
        return None, act, None
    cmid = clean_cmid(given["cmid"]) if given.get("cmid") is not None else None
    return messages.draft(text=clean_text(given.get("text")), action=name), act, cmid


def _new_members(owner: User, members: Any) -> list[NewMember]:
    if not isinstance(members, list | tuple) or len(members) > settings.MEMBERS_MAX:
        raise Problem("invalid", errors={"members": [f"A list of at most {settings.MEMBERS_MAX} members."]})
    found = {member.user.id: member for member in map(_new_member, members)}
    found.pop(owner.id, None)
    return list(found.values())


def _new_member(member: Any) -> NewMember:
    if not isinstance(member, dict) or "user" not in member:
        raise Problem("invalid", errors={"members": ["Each member is an object {user, role}."]})
    return NewMember(users.find(member["user"]), clean_role(member.get("role", "editor")))


def _member_draft(member: NewMember) -> Draft:
    return Draft("member:add", {"user": str(member.user.id), "name": member.user.display_name, "role": member.role})


def _audit(user: User, action: str, conversation: UUID) -> None:
    audit.record(actor=user.id, action=action, target=("conversation", conversation))
