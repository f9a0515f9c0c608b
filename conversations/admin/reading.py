"""What a page shows of a conversation: everything to staff who may read content, the rest to others.

Whoever lacks the right gets rows whose content was not even fetched, so no template can let it slip.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from chatproject.lib.crypto import CryptoError
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from conversations import keys, markdown, selectors, wire
from conversations.admin import states
from conversations.context import reports
from conversations.context.result import Line as SentLine
from conversations.models import Conversation, Event, Message, Run

Text = str | Promise

READ_CONTENT = "conversations.read_content"
PAGE = 200
PREVIEW = 120
UNTITLED = _("(untitled)")
UNREADABLE = _("(cannot be decrypted)")
SECRET_OF_A_STEP = ("input", "output", "sources")


def may_read(request: HttpRequest) -> bool:
    return request.user.has_perm(READ_CONTENT)


def opened(read: Callable[[], Any]) -> Any:
    """What `read` gives; a damaged or erased value must not take the page around it away."""
    try:
        return read()
    except (CryptoError, Problem):
        return UNREADABLE


def title(row: Conversation) -> Text:
    """The title of a row at hand, without a query."""
    if row.title is None:
        return UNTITLED
    return opened(lambda: _title(row))


def _title(row: Conversation) -> str | None:
    keys.of_row(row)
    return wire.title(row)


@dataclass(frozen=True)
class Window:
    """The part of a log, `first` to `last`, that one page shows, transcript and events in step."""

    first: int
    last: int
    head: int

    @classmethod
    def ending(cls, head: int, before: str | None) -> "Window":
        """PAGE events up to the one in front of `before` (of the query string), or the newest."""
        wanted = int(before[:18]) if before and before.isascii() and before.isdigit() else head + 1
        last = max(min(wanted - 1, head), 0)
        return cls(max(last - PAGE + 1, 1), last, head)

    @property
    def older(self) -> int | None:
        return self.first if self.first > 1 else None

    @property
    def newer(self) -> int | None:
        return min(self.last + PAGE, self.head) + 1 if self.last < self.head else None


@dataclass(frozen=True)
class Entry:
    """One event; `data` as readable JSON with one line of what is in it, None for those who may not read it."""

    event: Event
    data: Text | None = None
    preview: Text = ""


def log(conversation: Conversation, window: Window, *, readable: bool) -> list[Entry]:
    """The events of a window."""
    rows = Event.objects.filter(conversation=conversation, seq__range=(window.first, window.last)).order_by("seq")
    return [_entry(row) for row in rows] if readable else [Entry(row) for row in rows.defer("data")]


def _entry(row: Event) -> Entry:
    data = opened(lambda: wire.stored_event(row)["data"])
    return Entry(row, pretty(data), _preview(data)) if isinstance(data, dict) else Entry(row, data, data)


def _preview(data: dict[str, Any]) -> str:
    """One line of what an event says, without the ids."""
    said = [
        f"{name}: {value}" for name, value in data.items() if value not in (None, "", {}, []) and not parse_id(value)
    ]
    return Truncator(" ".join(" · ".join(said).split())).chars(PREVIEW)


@dataclass(frozen=True)
class Line:
    """One message of the transcript, and the run that wrote it."""

    message: Message
    html: Text
    run: Run | None
    steps: list[dict[str, Any]]

    @property
    def colour(self) -> str | None:
        return states.MESSAGE.get(Message.Status(self.message.status))


def transcript(conversation: Conversation, window: Window) -> list[Line]:
    """The messages of a window, in clear: for staff who may read."""
    rows = Message.objects.filter(conversation=conversation, seq__range=(window.first, window.last)).order_by("seq")
    runs = Run.objects.in_bulk([row.run for row in rows if row.role == Message.Role.ASSISTANT and row.run])
    return [_line(row, runs.get(row.run) if row.role == Message.Role.ASSISTANT else None) for row in rows]


def _line(row: Message, run: Run | None) -> Line:
    html = opened(lambda: markdown.render(selectors.message_text(row)))
    return Line(row, html, run, steps(run, readable=True) if run else [])


def steps(run: Run, *, readable: bool) -> list[dict[str, Any]]:
    """The steps of a run: what they are called and how they stand; with the right, what went in and out."""
    return [{**_outline(stored), "content": _step_content(run, stored) if readable else None} for stored in run.steps]


def _outline(stored: dict[str, Any]) -> dict[str, Any]:
    names = {name: stored.get(name) for name in ("kind", "name", "status")}
    return {**names, "colour": states.STEP.get(str(stored.get("status")), "default")}


def _step_content(run: Run, stored: dict[str, Any]) -> list[tuple[str, Text]]:
    step = opened(lambda: wire.step(run, stored))
    if not isinstance(step, dict):
        return [("", step)]
    return [(name, pretty(step[name])) for name in SECRET_OF_A_STEP if step.get(name)]


def report(run: Run, *, readable: bool) -> dict[str, Any] | None:
    """What the assistant was sent, line by line; with the right, what the lines said."""
    if run.context is None:
        return None
    lines = opened(lambda: reports.lines(run)) if readable else None
    sent = [_sent(entry, lines, number) for number, entry in enumerate(run.context["sent"])]
    return {**run.context, "sent": sent}


def _sent(entry: dict[str, Any], lines: list[SentLine] | Text | None, number: int) -> dict[str, Any]:
    line = lines[number] if isinstance(lines, list) else None
    call = f"{line.call.name} {line.call.arguments}" if line and line.call and not line.text else None
    text = (call or line.text) if line else lines
    return {"seq": entry.get("seq"), "role": entry["role"], "tokens": entry["tokens"], "text": text}


def error(run: Run) -> Text | None:
    """Why a run failed, as readable JSON: for staff who may read."""
    value = opened(lambda: wire.opened(run.error, run.conversation_id, run.end_event, "error"))
    return value if value is None or isinstance(value, Promise) else pretty(value)


def pretty(value: Any) -> str:
    """Readable JSON; text as it is."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
