"""The verb by which people say what they think of a message."""

from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.conf import settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import is_well_formed
from conversations import eventlog, wire
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import Feedback
from conversations.permissions import Permission
from conversations.services.revisions import check_there

FIELDS = ("rating", "solved", "copied", "comment")


def give(
    *, user: User, conversation: UUID, message: UUID, changes: dict[str, Any], cmid: str | None = None
) -> "Future[Committed]":
    """Change the user's own feedback on a message; what `changes` does not name stays.

    `rating` is up, down or None, `solved` and `copied` are bool, `comment` is text or None. What says nothing
    new writes nothing. Fails with Problem `invalid`, `too_large`, `not_found`, `forbidden`, `conflict` (deleted).
    """
    given = {name: _CLEAN[name](changes[name]) for name in FIELDS if name in changes}
    if not given:
        raise Problem("invalid", f"Nothing to change: send {', '.join(FIELDS)}, or some of them.")
    draft = Draft("message:feedback", {"message": str(message), **given})

    def decide(state: State) -> Decision:
        state.require(Permission.RATE)
        check_there(state.message(message))
        before = _before(state, message, user)
        after = {**before, **{name: draft.data[name] for name in given}}
        draft.data |= after
        return Decision([] if after == before else [draft])

    cmid = cmid or f"feedback:{draft.id}"
    return eventlog.submit(Append(conversation, Actor.of(user), cmid, decide, body=given, drafts=[draft]))


def _before(state: State, message: UUID, user: User) -> dict[str, Any]:
    row = Feedback.objects.filter(conversation=state.conversation, message=message, user=str(user.id)).first()
    return wire.feedback(row) if row else dict(wire.NO_FEEDBACK)


def _rating(value: Any) -> str | None:
    if value is not None and value not in Feedback.Rating.values:
        raise Problem("invalid", errors={"rating": ["One of up, down, null."]})
    return value


def _mark(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Problem("invalid", "solved and copied are true or false.")
    return value


def _comment(value: Any) -> str | None:
    """Raises Problem `invalid`, or `too_large` beyond COMMENT_MAX_LENGTH code points."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or "\0" in value or not is_well_formed(value):
        raise Problem("invalid", errors={"comment": ["Well-formed text without NUL characters, or null."]})
    if len(value) > settings.COMMENT_MAX_LENGTH:
        raise Problem("too_large", f"A comment has at most {settings.COMMENT_MAX_LENGTH} characters.")
    return value


_CLEAN = {"rating": _rating, "solved": _mark, "copied": _mark, "comment": _comment}
