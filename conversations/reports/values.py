"""What is filled in for the placeholders of a report: Markdown, of what its user may read at this moment."""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.conf import settings
from django.utils.timezone import localtime

from chatproject.lib import clock
from conversations import selectors, wire
from conversations.batches.combined import section
from conversations.models import BatchRow, Conversation, Message, Report
from conversations.reports import placeholders
from conversations.reports.sealing import title_of
from conversations.transfer import transcript

PAGE = 200
DAY = "%Y-%m-%d"


class Values:
    """The values of one report, by name; each is made when it is needed."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._places = readable(
            report.user_id, report.sources.exclude(place=None).values_list("conversation", flat=True)
        )

    def of(self, text: str) -> dict[str, str]:
        """The values of the placeholders in a template."""
        wanted = {placeholders.key(match) for match in placeholders.PLACEHOLDER.finditer(text)}
        answers = self._answers()
        return {name: answers[name] if name in answers else self._value(name) for name in wanted}

    def _value(self, name: str) -> str:
        return MAKERS[name](self) if name in MAKERS else ""

    def _answers(self) -> dict[str, str]:
        """What was answered to the questions of the template; in their place, that there is no answer."""
        if self._report.asked is None:
            return {}
        rows = selectors.answered_rows(self._report.asked)
        return {placeholders.ask(row["question"]): row["answer"].strip() or "—" for row in rows}

    def title(self) -> str:
        return transcript.plain(title_of(self._report) or "—")

    def author(self) -> str:
        return transcript.plain(self._report.user.display_name)

    def conversations(self) -> str:
        return "\n".join(f"- {transcript.plain(wire.title(one) or '—')}" for one in self._places)

    def participants(self) -> str:
        names = [message.author_name for one in self._places for message in _said(one)]
        return ", ".join(transcript.plain(wire.label(name)) for name in dict.fromkeys(names))

    def began(self) -> str:
        return min((f"{localtime(one.created_at):{DAY}}" for one in self._places), default="—")

    def ended(self) -> str:
        return max((f"{localtime(one.updated_at):{DAY}}" for one in self._places), default="—")

    def messages(self) -> str:
        return str(sum(1 for one in self._places for _ in _said(one)))

    def transcript(self) -> str:
        several = len(self._places) > 1
        return "\n".join(self._transcript(one, with_title=several) for one in self._places)

    def _transcript(self, row: Conversation, *, with_title: bool) -> str:
        head = f"## {transcript.plain(wire.title(row) or '—')}\n" if with_title else ""
        return head + "".join(transcript.message(message) for message in _said(row))

    def last_answer(self) -> str:
        answers = [message for one in self._places for message in _said(one) if message.role == Message.Role.ASSISTANT]
        return wire.message_text(max(answers, key=lambda one: one.created_at)) if answers else "—"

    def rows(self) -> str:
        batch = self._report.batch
        return "".join(map(section, selectors.answered_rows(batch))) if batch else "—"

    def counted(self, *statuses: str) -> str:
        rows = self._report.batch.rows.all() if self._report.batch else BatchRow.objects.none()
        return str((rows.filter(status__in=statuses) if statuses else rows).count())


MAKERS: dict[str, Callable[[Values], str]] = {
    "title": Values.title,
    "date": lambda _: f"{localtime(clock.now()):{DAY}}",
    "author": Values.author,
    "conversations": Values.conversations,
    "participants": Values.participants,
    "began": Values.began,
    "ended": Values.ended,
    "messages": Values.messages,
    "transcript": Values.transcript,
    "last_answer": Values.last_answer,
    "rows": Values.rows,
    "rows_total": Values.counted,
    "rows_done": lambda values: values.counted(BatchRow.Status.DONE),
    "rows_failed": lambda values: values.counted(BatchRow.Status.FAILED),
}


def readable(user: UUID, conversations: Iterable[UUID]) -> list[Conversation]:
    """Those of them that the user may read at this moment, in their order."""
    rows = Conversation.objects.filter(members__user=user, erased_at=None).in_bulk(list(conversations))
    return [rows[id_] for id_ in conversations if id_ in rows]


def told(conversations: Iterable[Conversation]) -> str:
    """What was said, for an assistant that is asked about it: the latest REPORT_CONTEXT_LENGTH characters."""
    lines = [
        f"{wire.label(message.author_name)}: {wire.message_text(message)}"
        for one in conversations
        for message in _said(one)
    ]
    text = "\n\n".join(lines)
    return text if len(text) <= settings.REPORT_CONTEXT_LENGTH else "…" + text[-settings.REPORT_CONTEXT_LENGTH :]


def _said(row: Conversation) -> Iterable[Message]:
    """What people and assistants said, in order; read in pages."""
    seq = 0
    while page := selectors.transcript(row.id, after_seq=seq, up_to=row.last_seq, limit=PAGE):
        yield from (message for message in page if message.role != Message.Role.SYSTEM)
        seq = page[-1].seq
