"""Verbs on members: add, change, remove."""

from concurrent.futures import Future
from uuid import UUID

from django.conf import settings

from accounts import audit
from accounts.models import User
from accounts.services import users
from chatproject.lib.errors import Problem
from conversations import eventlog
from conversations.actors import SYSTEM, Actor
from conversations.appends import Append, Committed, Decide, Decision, Draft, State
from conversations.models import Member
from conversations.permissions import Permission
from conversations.services import handoff
from conversations.services.validation import clean_role


def add(
    *, actor: User, conversation: UUID, user: object, role: str = "editor", cmid: str | None = None
) -> "Future[Committed]":
    """Make `user` (id or username) a member. Fails with Problem `not_found`, `invalid`, `forbidden`, `conflict`."""
    role = clean_role(role)
    draft = Draft("member:add", {"user": str(user), "role": role})

    def decide(state: State) -> Decision:
        state.require(Permission.MANAGE_MEMBERS)
        target = users.find(user)
        if state.member(target.id):
            raise Problem("conflict", "This user is a member already.")
        if Member.objects.filter(conversation=conversation).count() >= settings.MEMBERS_MAX:
            raise Problem("too_large", f"A conversation has at most {settings.MEMBERS_MAX} members.")
        draft.data |= {"user": str(target.id), "name": target.display_name}
        return Decision([draft], [lambda: _audit(actor, "member.added", conversation, target.id, role)])

    return _submit(actor, conversation, draft, decide, cmid)


def change(*, actor: User, conversation: UUID, user: UUID, role: str, cmid: str | None = None) -> "Future[Committed]":
    """Give a member another role. Fails with Problem `not_found`, `invalid`, `forbidden`."""
    draft = Draft("member:update", {"user": str(user), "role": clean_role(role)})

    def decide(state: State) -> Decision:
        state.require(Permission.MANAGE_MEMBERS)
        before = _existing(state, user).role
        bereft = [] if role == Member.Role.AGENT else handoff.bereft(state, user)
        return Decision([*bereft, draft], [lambda: _audit(actor, "member.changed", conversation, user, role, before)])

    return _submit(actor, conversation, draft, decide, cmid)


def remove(*, actor: User, conversation: UUID, user: UUID, cmid: str | None = None) -> "Future[Committed]":
    """End a membership, one's own included; the owner stays. Fails with Problem `not_found`, `forbidden`."""
    draft = Draft("member:remove", {"user": str(user)})

    def decide(state: State) -> Decision:
        state.require(Permission.LEAVE if user == actor.id else Permission.MANAGE_MEMBERS)
        draft.data["role"] = _existing(state, user).role
        return Decision(
            [*handoff.bereft(state, user), draft],
            [lambda: _audit(actor, "member.removed", conversation, user, "", draft.data["role"])],
        )

    return _submit(actor, conversation, draft, decide, cmid)


def remove_leaver(*, conversation: UUID, user: User) -> "Future[Committed]":
    """End the membership of somebody who closed their account. Fails with Problem `not_found`, `forbidden`."""
    draft = Draft("member:remove", {"user": str(user.id)})

    def decide(state: State) -> Decision:
        draft.data["role"] = _existing(state, user.id).role
        return Decision(
            [*handoff.bereft(state, user.id), draft],
            [lambda: _audit(user, "member.removed", conversation, user.id, "")],
        )

    append = Append(conversation, SYSTEM, f"leave:{user.id}", decide, body=dict(draft.data), main=draft)
    return eventlog.submit(append)


def _submit(
    actor: User, conversation: UUID, draft: Draft, decide: Decide, cmid: str | None = None
) -> "Future[Committed]":
    cmid = cmid or f"{draft.type}:{draft.id}"
    return eventlog.submit(Append(conversation, Actor.of(actor), cmid, decide, body=dict(draft.data), main=draft))


def _existing(state: State, user: UUID) -> Member:
    member = state.member(user)
    if member is None:
        raise Problem("not_found", "This user is not a member.")
    if member.role == Member.Role.OWNER:
        raise Problem("forbidden", "The owner's membership cannot be changed.")
    return member


def _audit(actor: User, action: str, conversation: UUID, user: UUID, role: str, before: str = "") -> None:
    target = ("conversation", conversation)
    audit.record(actor=actor.id, action=action, target=target, user=str(user), role=role, before=before)
