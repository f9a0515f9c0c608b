"""Messages, as members see them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.prepared import Prepared
from conversations import keys, markdown, windows, wire
from conversations.models import Event, Feedback, File, Message, Run
from conversations.services.endings import stored_text

Json = dict[str, Any]


def messages(
    conversation: UUID,
    *,
    before_seq: int | None,
    after_seq: int | None,
    limit: int,
    reader: User | None = None,
    alternatives: bool = False,
) -> list[Json]:
    """Up to `limit` messages in order: the newest, those before, or those after a seq. Membership was checked.

    With `alternatives`, answers that are not selected too; `reader` is whose feedback is shown.
    """
    if before_seq is None and after_seq is None and not alternatives:
        return _newest(conversation, limit, reader)
    rows = Message.objects.filter(conversation=conversation)
    rows = rows.exclude(status=Message.Status.HIDDEN) if alternatives else rows.shown()
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    if after_seq is not None:
        return wire_messages(rows.filter(seq__gt=after_seq).order_by("seq")[:limit], reader)
    return wire_messages(reversed(rows.order_by("-seq")[:limit]), reader)


def _newest(conversation: UUID, limit: int, reader: User | None) -> list[Json]:
    """The newest page: kept ready where it can be, under the version that it has at this moment."""
    version = windows.version(conversation, limit)
    page = windows.find(conversation, version, limit) if version else None
    if page is None:
        rows = Message.objects.shown().filter(conversation=conversation).order_by("-seq")
        page = wire_messages(reversed(rows[:limit]))
        if version and windows.version(conversation, limit) == version:
            windows.keep(conversation, version, limit, page)
    page = page[-limit:]
    mine = _feedback([conversation], [one["id"] for one in page], reader) if reader else {}
    return [{**one, "feedback": mine.get(UUID(one["id"]), one["feedback"])} for one in page]


def transcript(conversation: UUID, *, after_seq: int, up_to: int, limit: int) -> list[Message]:
    """Messages for people to read, in order. Membership was checked."""
    rows = Message.objects.visible().filter(conversation=conversation, seq__gt=after_seq, seq__lte=up_to)
    return list(rows.order_by("seq")[:limit])


def message(conversation: UUID, id_: UUID, reader: User | None = None) -> Json:
    """One message. Membership was checked. Raises Problem `not_found`."""
    row = _one.first(conversation=conversation, id_=id_)
    if row is None:
        raise Problem("not_found")
    return wire_messages([row], reader)[0]


@Prepared
def _one(conversation: UUID, id_: UUID) -> QuerySet[Message, Message]:
    return Message.objects.filter(conversation=conversation, id=id_)


def versions(conversation: UUID, id_: UUID) -> list[Json]:
    """The texts of a message and of its alternatives, each with `text` and `html`; none of what was deleted.

    Membership was checked. Raises Problem `not_found`.
    """
    listed = [] if (shown := message(conversation, id_))["status"] in Message.GONE else shown["versions"]
    events = Event.objects.filter(conversation=conversation, seq__in=[one["seq"] for one in listed])
    texts = {frame["seq"]: frame["data"].get("text") or "" for frame in wire.stored_events(events)}
    return [{**one, "text": texts[one["seq"]], "html": markdown.render(texts[one["seq"]])} for one in listed]


def wire_messages(rows: Iterable[Message], reader: User | None = None) -> list[Json]:
    """Public forms; a running answer shows what is stored of it. `reader` is whose feedback is shown."""
    found: Sequence[Message] = list(rows)
    partial = partial_texts(found)
    groups = _groups(found)
    places, ids = {row.conversation_id for row in found}, [row.id for row in found]
    mine = _feedback(places, ids, reader) if reader else {}
    files = files_of(found)
    return [
        wire.message(
            row,
            partial.get(row.id),
            alternatives=[other for other in groups.get(row.group, ()) if other.id != row.id],
            feedback=mine.get(row.id),
            files=files,
        )
        for row in found
    ]


def message_text(row: Message) -> str:
    """The text of one message; of a running answer, what is stored. Membership was checked."""
    return partial_texts([row]).get(row.id) or wire.message_text(row)


def partial_texts(rows: Sequence[Message]) -> dict[UUID | None, str]:
    """What is stored of the running answers among `rows`."""
    running = [row.run for row in rows if row.run and row.status == Message.Status.STREAMING]
    runs = Run.objects.filter(id__in=running) if running else ()
    return {run.message: stored_text(run, keys.of(run.conversation_id)) for run in runs}


def _groups(rows: Sequence[Message]) -> dict[UUID, list[Message]]:
    """The answers that can be chosen, by group, for the answers among `rows`."""
    first_ones = {row.group for row in rows if row.role == Message.Role.ASSISTANT}
    found = Message.objects.filter(Q(branch_of__in=first_ones) | Q(id__in=first_ones)).exclude(status__in=Message.GONE)
    groups: dict[UUID, list[Message]] = {}
    for row in found.defer("text", "parts", "extra", "tokens") if first_ones else ():
        groups.setdefault(row.group, []).append(row)
    return groups


def files_of(rows: Sequence[Message]) -> dict[str, File]:
    """What the parts of `rows` name, by id."""
    wanted = [part["id"] for row in rows for part in row.parts]
    found = File.objects.filter(id__in=wanted).defer("text") if wanted else ()
    return {str(file.id): file for file in found}


def names_of_files(rows: Sequence[Message]) -> dict[UUID, list[str]]:
    """What the messages carry, by name."""
    files = files_of(rows)
    named = {id_: wire.file_name(file) for id_, file in files.items()}
    return {row.id: [named[part["id"]] for part in row.parts if part["id"] in named] for row in rows}


def _feedback(conversations: Iterable[UUID], ids: Iterable[Any], reader: User) -> dict[UUID, Json]:
    found = _given(conversations=list(conversations), messages=list(ids), user=reader.id)
    return {row.message: wire.feedback(row) for row in found}


@Prepared
def _given(conversations: list[UUID], messages: list[UUID], user: UUID) -> QuerySet[Feedback, Feedback]:
    return Feedback.objects.filter(conversation__in=conversations, message__in=messages, user=str(user))
