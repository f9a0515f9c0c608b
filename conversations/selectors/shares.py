"""Shares for who manages them, and shared conversations for strangers who were let in (services/visits.py)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from chatproject.lib.database import one_moment
from conversations import past, wire
from conversations.models import Conversation, Event, Message, Share
from conversations.models.message import VISIBLE
from conversations.selectors.log import head
from conversations.selectors.messages import files_of, partial_texts
from conversations.selectors.runs import running_texts

Json = dict[str, Any]

READ_AT_ONCE = 200


def shares(conversation: UUID) -> QuerySet[Share]:
    """Those that are not over. For callers that checked the right to share."""
    return Share.objects.filter(conversation=conversation, expires_at__gt=Now())


def shares_of_report(report: UUID) -> QuerySet[Share]:
    """The same of a report, for whose it is."""
    return Share.objects.filter(report=report, expires_at__gt=Now())


def open_shares(ids: Iterable[UUID]) -> set[UUID]:
    """Which of these lead somewhere still; views do not matter to who is there already."""
    return set(Share.objects.open().filter(id__in=list(ids)).values_list("id", flat=True))


@dataclass(frozen=True)
class Shared:
    """A page of a shared conversation as it stood at `seq`; `place` leads to the next page."""

    title: str | None
    epoch: str
    seq: int
    messages: list[Json]
    place: int | None


def shared(share: Share, place: int | None = None) -> Shared:
    """Of a fixed share the beginning, or what follows a place; of a live one the newest, or what came before it."""
    with one_moment():
        epoch, at = head(share.place)
        at = share.seq or at
        rows = _page(share, at, place)
        shown = rows[: settings.SHARE_PAGE]
        messages = _told(shown, at)
    more = shown[-1].seq if len(rows) > len(shown) else None
    return Shared(_title(share, at), epoch, at, messages, more)


def _title(share: Share, at: int) -> str | None:
    """As it is, or as it was at the seq of a fixed share."""
    if share.live:
        return wire.title(Conversation.objects.get(id=share.place))
    events = Event.objects.filter(
        conversation=share.place, seq__lte=at, type__in=("conversation:new", "conversation:update")
    )
    told = events.filter(data__has_key="title").order_by("-seq")[:1]
    return next((frame["data"].get("title") for frame in wire.stored_events(told)), None)


def _page(share: Share, at: int, place: int | None) -> list[Message]:
    """Up to one more than a page of what was visible at `at`, in the order in which pages follow one another."""
    found: list[Message] = []
    for row in _rows(share, at, place):
        if _is_shown(row, at, running=share.live):
            found.append(row)
        if len(found) > settings.SHARE_PAGE:
            break
    return found


def _rows(share: Share, at: int, place: int | None) -> Iterator[Message]:
    rows = _said(share.place).filter(seq__lte=at)
    order, beyond = ("-seq", "seq__lt") if share.live else ("seq", "seq__gt")
    while page := list((rows.filter(**{beyond: place}) if place is not None else rows).order_by(order)[:READ_AT_ONCE]):
        yield from page
        place = page[-1].seq


def _said(conversation: UUID) -> QuerySet[Message]:
    """What people and assistants said: what systems are told is nothing for strangers."""
    return Message.objects.filter(conversation=conversation).exclude(role=Message.Role.SYSTEM)


def _is_shown(row: Message, at: int, *, running: bool) -> bool:
    """Whether it was visible then; an answer that had no end yet only where `running` ones are shown."""
    status, selected = past.visibility_at(vars(row), at)
    told = _version(row, at) is not None or (running and status == past.STREAMING)
    return selected and status not in Message.GONE and told


def _version(row: Message, at: int) -> Json | None:
    version = past.version_at(row.versions, at)
    return version if version and version["seq"] <= at else None


def _told(rows: Sequence[Message], at: int) -> list[Json]:
    """Public forms, in the order in which they are read."""
    texts, places, files = _texts(rows, at), _places(rows), files_of(rows)
    told = [
        wire.shared_message(
            row,
            text=texts.get(row.id, ""),
            status=past.visibility_at(vars(row), at)[0],
            place=places[row.id],
            edited_at=_edited_at(row, at),
            files=files,
        )
        for row in rows
    ]
    return sorted(told, key=lambda one: (one["place"], one["seq"]))


def _texts(rows: Sequence[Message], at: int) -> dict[UUID, str]:
    """Texts at `at`; those that are not the current ones come from the log."""
    texts = {row.id: wire.message_text(row) for row in rows if _is_current(row, at)}
    sources = {row.id: past.source(v) for row in rows if row.id not in texts and (v := _version(row, at))}
    if sources:
        conversation = rows[0].conversation_id
        events = Event.objects.filter(conversation=conversation, seq__in=sources.values())
        said = {frame["seq"]: frame["data"].get("text") or "" for frame in wire.stored_events(events)}
        texts |= {id_: said[seq] for id_, seq in sources.items()}
    return texts | {id_: text for id_, text in partial_texts(rows).items() if id_}


def _is_current(row: Message, at: int) -> bool:
    version = _version(row, at)
    gone = row.status in Message.GONE
    return not gone and version is not None and version["event"] == str(row.text_event)


def _edited_at(row: Message, at: int) -> str | None:
    version = _version(row, at)
    edited = version is not None and past.source(version) != past.source(row.versions[0])
    return version["at"] if version and edited else None


def _places(rows: Sequence[Message]) -> dict[UUID, int]:
    """Another answer stands where the first of its group stood."""
    firsts = [row.branch_of for row in rows if row.branch_of]
    known = dict(Message.objects.filter(id__in=firsts).values_list("id", "seq")) if firsts else {}
    return {row.id: known.get(row.branch_of or row.id, row.seq) for row in rows}


def _running(conversation: UUID) -> dict[str, str]:
    """What is stored of the running answers that are shown, by message."""
    texts = {UUID(one["message"]): one["text"] for one in running_texts(conversation) if one["message"]}
    shown = _said(conversation).filter(VISIBLE, id__in=texts).values_list("id", flat=True) if texts else ()
    return {str(id_): texts[id_] for id_ in shown}


@dataclass(frozen=True)
class News:
    """What became of a shared conversation up to `seq`: messages as they are now, ids of those that are gone, the
    stored text of running answers by message, and the title. `incomplete` where more changed than can be told."""

    epoch: str
    seq: int
    title: str | None
    messages: list[Json]
    gone: list[str]
    running: dict[str, str]
    incomplete: bool


def shared_news(conversation: UUID, after: int) -> News:
    """What changed after a seq. For the streams of live shares. Raises Problem `not_found`."""
    with one_moment():
        epoch, seq = head(conversation)
        found = _said(conversation).filter(changed_seq__gt=after).order_by("seq")
        changed = list(found[: settings.CATCHUP_MAX + 1])
        running = _running(conversation)
        rows = [row for row in changed if _is_shown(row, seq, running=True)]
        title = wire.title(Conversation.objects.get(id=conversation))
        told = _told(rows, seq) if len(changed) <= settings.CATCHUP_MAX else []
    kept = {row.id for row in rows}
    gone = [str(row.id) for row in changed if row.id not in kept]
    return News(epoch, seq, title, told, gone, running, len(changed) > settings.CATCHUP_MAX)
