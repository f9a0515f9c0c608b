"""What is said of a session that is over, in its user's language."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from conversations.models import Session

# To somebody who comes back with it.
BACK = {
    Session.Reason.STAFF: _(
        "Staff ended your earlier session, so a new one has begun. Your conversations are complete."
    ),
    Session.Reason.EXPIRED: _("You were away for long, so a new session has begun. Your conversations are complete."),
}
# To somebody who is there.
THERE = {
    Session.Reason.STAFF: _("Staff ended this session. Your conversations are complete; reload to go on."),
    Session.Reason.LEFT: _("This session was ended. Your conversations are complete; reload to go on."),
}


def came_back(session: str, reason: str, language: str) -> dict[str, Any]:
    """`session:expired` after the `welcome` of a new session."""
    known = reason if reason in BACK else Session.Reason.EXPIRED
    return _frame(session, known, BACK[Session.Reason(known)], language)


def put_out(session: UUID, reason: str, language: str) -> dict[str, Any]:
    """`session:expired` before a connection is closed, because its session was ended."""
    known = reason if reason in THERE else Session.Reason.LEFT
    return _frame(str(session), reason, THERE[Session.Reason(known)], language)


def _frame(session: str, reason: str, text: Any, language: str) -> dict[str, Any]:
    with translation.override(language or settings.LANGUAGE_CODE):
        return {"type": "session:expired", "session": session, "reason": str(reason), "message": str(text)}
