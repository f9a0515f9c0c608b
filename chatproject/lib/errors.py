"""The one registry of error codes, for HTTP, WebSocket and SSE alike (PROTOCOL.md section 6)."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True)
class Code:
    """One code: its name, HTTP status, whether trying again can help, and a sentence for people."""

    name: str
    status: int
    retryable: bool
    sentence: str


CODES: dict[str, Code] = {
    code.name: code
    for code in (
        Code("invalid", 400, False, _("The request is malformed or a value is not allowed.")),
        Code("unauthenticated", 401, False, _("Log in first, or send a valid token.")),
        Code("token_expired", 401, False, _("The access token has expired; renew it and try again.")),
        Code("forbidden", 403, False, _("You may not do this.")),
        Code("not_found", 404, False, _("There is no such thing here, or you may not know of it.")),
        Code("conflict", 409, False, _("This contradicts something that was stored before.")),
        Code("conversation_busy", 409, True, _("An assistant is answering in this conversation.")),
        Code("conversation_closed", 409, False, _("This conversation takes no more messages.")),
        Code("stale", 412, False, _("This was changed by somebody else in the meantime.")),
        Code("too_large", 413, False, _("This is larger than allowed.")),
        Code("unsupported", 415, False, _("This kind of content is not supported.")),
        Code("idempotency_mismatch", 422, False, _("This Idempotency-Key was used for another request.")),
        Code("rate_limited", 429, True, _("Too many requests; wait a little.")),
        Code("quota_exceeded", 429, False, _("The quota is used up.")),
        Code("run_not_active", 409, False, _("This run has ended already.")),
        Code("resync_required", 409, False, _("This cursor cannot be replayed; start from the snapshot.")),
        Code("room_full", 409, True, _("The room is full.")),
        Code("unavailable", 503, True, _("A part of the service is away for the moment; try again.")),
        Code("internal", 500, True, _("Something went wrong on our side.")),
    )
}


class Problem(Exception):
    """An expected failure with a code of the registry; every door renders it in its own way.

    `detail` says what was wrong in this case, `errors` maps field names to lists of sentences,
    `retry_after_ms` says when trying again makes sense, `extra` holds further public members.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        errors: dict[str, list[str]] | None = None,
        retry_after_ms: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.code = CODES[code]
        self.detail = detail or self.code.sentence
        self.errors = errors
        self.retry_after_ms = retry_after_ms
        self.extra = extra or {}
        super().__init__(f"{code}: {self.detail}")

    @property
    def sentence(self) -> str:
        """What a page says about it, after translation."""
        return self.code.sentence
