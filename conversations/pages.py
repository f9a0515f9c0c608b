"""What the pages show: reads for templates, each for what the asking user may see."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from accounts.models import User
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from chatproject.lib.ids import parse_id
from chatproject.lib.prepared import Prepared
from conversations import epochs, selectors, wire
from conversations.cursors import parse_time
from conversations.models import Conversation, Message, Run
from conversations.permissions import ROLES, Permission

LIST_LENGTH = 50
THREAD_LENGTH = 50
WORDS_LENGTH = 80


@dataclass(frozen=True)
class Entry:
    """A line of the list of conversations."""

    id: UUID
    title: str
    assistant: str | None
    updated_at: datetime
    unread: int
    busy: bool


@dataclass(frozen=True)
class Page:
    """The newest entries, or those after a place; `after` leads to older ones."""

    entries: Sequence[Entry]
    after: str | None


@dataclass(frozen=True)
class Turning:
    """Where an answer stands among its alternatives, the first being 1, and the messages beside it."""

    number: int
    count: int
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Item:
    """A message, whether the reader wrote it, and the run that wrote it or was asked for by it.

    `asked` is how the question begins that an answer belongs to, where something else was said in between.
    """

    message: dict[str, Any]
    mine: bool
    run: dict[str, Any] | None
    asked: str

    @property
    def edited(self) -> bool:
        return sum(one["message"] == self.message["id"] for one in self.message["versions"]) > 1

    @property
    def liked(self) -> bool:
        return bool(self.message["feedback"]["rating"] == "up")

    @property
    def disliked(self) -> bool:
        return bool(self.message["feedback"]["rating"] == "down")

    @property
    def commented(self) -> bool:
        return bool(self.message["feedback"]["comment"])

    @property
    def turning(self) -> Turning | None:
        """None where there is one answer."""
        ids = list(dict.fromkeys(one["message"] for one in self.message["versions"]))
        if len(ids) < 2 or self.message["id"] not in ids:
            return None
        at = ids.index(self.message["id"])
        return Turning(at + 1, len(ids), ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)


@dataclass(frozen=True)
class Thread:
    """A stretch of messages; `before_seq` leads to older ones, `newest` tells whether newer ones exist."""

    items: Sequence[Item]
    before_seq: int | None
    newest: bool


@dataclass(frozen=True)
class Heading:
    """What stands above a thread. `epoch` and `seq` are the cursor up to which its page surely shows everything."""

    reader: UUID
    id: UUID
    title: str
    named: bool
    status: str
    agent: UUID | None
    erased: bool
    expires_at: datetime | None
    assistant: str | None
    epoch: str
    seq: int
    runs: Sequence[Run]
    may: frozenset[Permission]

    @property
    def open(self) -> bool:
        return self.status not in ("closed", "archived")

    @cached_property
    def others(self) -> Sequence[str]:
        """Names of the other members."""
        return [one["user"]["name"] for one in selectors.members(self.id) if one["user"]["id"] != str(self.reader)]


def conversation_list(user: User, after: str | None = None) -> Page:
    """Conversations of `user`, the latest changed first, without the archived and those of batches. Raises Problem
    `invalid`."""
    if after:
        moment, id_ = _place(after)
        found = _listed_after(user=user.id, moment=moment, id_=id_)
    else:
        found = _listed_first(user=user.id)
    shown = found[:LIST_LENGTH]
    words = first_words([row.id for row in shown if not row.title])
    last = shown[-1] if len(found) > LIST_LENGTH else None
    return Page([_entry(row, words) for row in shown], f"{rfc3339(last.updated_at)}~{last.id}" if last else None)


@Prepared
def _listed_first(user: UUID) -> QuerySet[Conversation, Any]:
    return _listed(user)[: LIST_LENGTH + 1]


@Prepared
def _listed_after(user: UUID, moment: datetime, id_: UUID) -> QuerySet[Conversation, Any]:
    later = Q(updated_at__lt=moment) | Q(updated_at=moment, id__lt=id_)
    return _listed(user).filter(later)[: LIST_LENGTH + 1]


def _listed(user: UUID) -> QuerySet[Conversation, Any]:
    return selectors.listed_conversations(user).exclude(status="archived").order_by("-updated_at", "-id")


def heading(user: User, conversation: UUID, permission: Permission = Permission.READ) -> Heading:
    """Raises Problem `not_found` or `forbidden`. To be called before the messages of the same page are read."""
    row: Any = selectors.conversation_for(user, conversation, permission)
    title = wire.title(row)
    return Heading(
        reader=user.id,
        id=row.id,
        title=title or first_words([row.id]).get(row.id, ""),
        named=bool(title),
        status=row.status,
        agent=row.agent,
        erased=row.erased,
        expires_at=row.expires_at,
        assistant=row.assistant,
        epoch=epochs.visible(row.epoch),
        seq=row.last_seq,
        runs=_alive(conversation=row.id),
        may=ROLES[row.role],
    )


@Prepared
def _alive(conversation: UUID) -> QuerySet[Run, Run]:
    return Run.objects.filter(conversation=conversation, ended_at=None).order_by("queued_seq")


def thread(user: User, conversation: UUID, before_seq: int | None = None) -> Thread:
    """The newest messages, or those before a seq; alternatives stand where the first of them stood.

    Membership was checked.
    """
    found = selectors.messages(
        conversation, before_seq=before_seq, after_seq=None, limit=THREAD_LENGTH + 1, reader=user
    )
    shown = found[-THREAD_LENGTH:]
    more = shown[0]["seq"] if len(found) > THREAD_LENGTH else None
    return Thread(_items(user, sorted(shown, key=lambda one: one["place"])), more, newest=before_seq is None)


def item(user: User, conversation: UUID, message: UUID) -> Item:
    """One message. Membership was checked. Raises Problem `not_found`."""
    return _items(user, [selectors.message(conversation, message, user)])[0]


def blanks() -> dict[str, Item]:
    """Messages of the reader and of others that say nothing yet: what is said goes into them."""
    row = Message(seq=0, changed_seq=0, role=Message.Role.USER, status=Message.Status.COMPLETE, created_at=now())
    message = wire.message(row, "")
    return {"reader": Item(message, True, None, ""), "other": Item(message, False, None, "")}


def _items(user: User, messages: Sequence[dict[str, Any]]) -> list[Item]:
    named = [UUID(one["run"]) for one in messages if one["run"]]
    runs = {str(row.id): wire.run(row) for row in (_runs(ids=named) if named else ())}
    asked = _questions(messages)
    return [
        Item(one, one["author"]["id"] == str(user.id), runs.get(one["run"]), asked.get(one["id"], ""))
        for one in messages
    ]


@Prepared
def _runs(ids: list[UUID]) -> QuerySet[Run, Run]:
    return Run.objects.filter(id__in=ids)


def _questions(messages: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The beginnings of questions that do not stand right before their answers, by the answer's id."""
    answers = [one for one in messages if one["role"] == "assistant" and one["reply_to"]]
    if not answers:
        return {}
    rows = {str(row.id): row for row in Message.objects.filter(id__in=[one["reply_to"] for one in answers])}
    between = (
        Message.objects.shown()
        .filter(conversation=answers[0]["conversation"], role=Message.Role.USER)
        .filter(seq__gt=min(row.seq for row in rows.values()), seq__lt=answers[-1]["place"])
        .values_list("seq", flat=True)
        if rows
        else ()
    )
    said = sorted(between)
    return {
        one["id"]: shortened(wire.message_text(rows[one["reply_to"]]))
        for one in answers
        if one["reply_to"] in rows and _any_within(said, rows[one["reply_to"]].seq, one["place"])
    }


def _any_within(numbers: Sequence[int], after: int, before: int) -> bool:
    position = bisect_right(numbers, after)
    return position < len(numbers) and numbers[position] < before


def _entry(row: Any, words: dict[UUID, str]) -> Entry:
    return Entry(
        id=row.id,
        title=wire.title(row) or words.get(row.id, ""),
        assistant=row.assistant,
        updated_at=row.updated_at,
        unread=row.unread,
        busy=row.active_run is not None,
    )


def first_words(conversations: Sequence[UUID]) -> dict[UUID, str]:
    """What stands in place of a title: how the first message begins."""
    first = _first_messages(conversations=conversations) if conversations else ()
    return {row.conversation_id: shortened(wire.message_text(row)) for row in first}


@Prepared
def _first_messages(conversations: list[UUID]) -> QuerySet[Message, Message]:
    rows = Message.objects.visible().filter(conversation__in=conversations, role=Message.Role.USER)
    return rows.order_by("conversation", "seq").distinct("conversation")


def shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= WORDS_LENGTH else words[: WORDS_LENGTH - 1].rstrip() + "…"


def _place(after: str) -> tuple[datetime, UUID]:
    moment, _, name = after.partition("~")
    id_ = parse_id(name)
    if id_ is None:
        raise Problem("invalid", errors={"after": ["This is not a place in the list."]})
    return parse_time(moment), id_
