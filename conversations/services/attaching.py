"""Files as parts of a message: `parts: [{"type": "file", "id"}]` (PROTOCOL.md section 3)."""

from collections import Counter
from typing import Any

from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations.appends import State
from conversations.models import File

Parts = list[dict[str, str]]


def clean_parts(parts: Any) -> Parts:
    """The parts of a message as they are stored. Raises Problem `invalid`, or `too_large` for too many."""
    if parts is None:
        return []
    if not isinstance(parts, list):
        raise _wrong()
    if len(parts) > settings.FILES_PER_MESSAGE:
        raise Problem("too_large", f"A message carries at most {settings.FILES_PER_MESSAGE} files.")
    cleaned = [{"type": "file", "id": _id(part)} for part in parts]
    if len({part["id"] for part in cleaned}) < len(cleaned):
        raise Problem("invalid", errors={"parts": ["A file can be attached once."]})
    return cleaned


def check(state: State, parts: Parts) -> None:
    """Under the conversation's lock: each file is of this conversation and author, and no message has it yet.

    Raises Problem `invalid`, or `conflict` where another message carries one of them. The rows stay locked, so that
    nobody deletes them before the message is there.
    """
    if not parts:
        return
    state.settle()
    wanted = [part["id"] for part in parts]
    rows = File.objects.filter(id__in=wanted, conversation=state.conversation, uploader=state.actor.user_id)
    found = list(rows.order_by("id").select_for_update())
    if len(found) < len(wanted):
        raise Problem("invalid", errors={"parts": ["There is no such file of yours in this conversation."]})
    if any(row.message for row in found):
        raise Problem("conflict", "Another message carries this file.")


def tokens(parts: Parts) -> dict[str, int]:
    """How many tokens the texts of files have in all, by encoding; events carry it, so that the log alone tells."""
    sizes = File.objects.filter(id__in=[part["id"] for part in parts]).values_list("tokens", flat=True)
    total: Counter[str] = Counter()
    for one in sizes:
        total.update(one)
    return dict(total)


def _id(part: Any) -> str:
    id_ = parse_id(str(part.get("id"))) if isinstance(part, dict) and part.get("type") == "file" else None
    if id_ is None:
        raise _wrong()
    return str(id_)


def _wrong() -> Problem:
    return Problem("invalid", errors={"parts": ['A list of {"type": "file", "id"}.']})
