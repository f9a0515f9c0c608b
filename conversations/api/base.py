"""What the views of conversations share: who may what, and repeated requests."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request

from accounts.api.base import LoggedIn
from accounts.services import attempts
from chatproject.lib.caller import note
from chatproject.lib.errors import Problem
from chatproject.lib.http import idempotency_key
from conversations import selectors
from conversations.appends import Committed, Contradiction
from conversations.permissions import Permission
from conversations.services.validation import as_cmid


class View(LoggedIn):
    """`permissions` names for each method what a member's role must allow; the matrix test walks them."""

    permissions: ClassVar[dict[str, Permission]] = {}

    def conversation(self, id_: UUID) -> Any:
        """The conversation, if this method's permission allows. Raises Problem `not_found`, `forbidden`."""
        note(conversation=id_)
        return selectors.conversation_for(self.user, id_, self.permissions[str(self.request.method)])


def attempt(view: LoggedIn, request: Request, route: str, about: UUID | None = None) -> str | None:
    """The key of a request that has none of its own, but counts its retries (accounts/services/attempts.py)."""
    retries = attempts.retries_of(request.headers.get(attempts.HEADER))
    if retries is None or idempotency_key(request):
        return None
    body = [request.data, sorted(request.query_params.items())]
    found = attempts.Try(view.identity, route, body, about).key(retries)
    if scope := getattr(request._request, "scope", None):
        scope[attempts.SCOPE] = found
    return str(found)


def write_once(
    request: Request, verb: Callable[[str | None], "Future[Committed]"], route: str, cmid: str | None = None
) -> Committed:
    """Do `verb(cmid)`. Without a cmid of the client's, the Idempotency-Key takes its place, so that the log
    itself finds the repetition."""
    key = idempotency_key(request)
    try:
        return verb(cmid or as_cmid(route, key)).result()
    except Contradiction as contradiction:
        if key and not cmid:
            raise Problem("idempotency_mismatch") from contradiction
        raise
