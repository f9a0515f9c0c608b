"""The log, and what stands at its end."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db.models import F, Func, IntegerField, QuerySet, Sum, Window
from django.db.models.expressions import Combinable

from accounts.models import User
from chatproject.lib.database import one_moment
from chatproject.lib.errors import Problem
from chatproject.lib.prepared import Prepared
from conversations import epochs, wire
from conversations.models import Conversation, Event, Message, Run
from conversations.selectors.conversations import role_of
from conversations.selectors.messages import wire_messages
from conversations.selectors.runs import running_texts

Json = dict[str, Any]

FITTED_AT_ONCE = 50


def head(conversation: UUID) -> tuple[str, int]:
    """Epoch and head. For callers that checked membership. Raises Problem `not_found`."""
    found = heads([conversation])
    if not found:
        raise Problem("not_found")
    return found[conversation]


def heads(conversations: Iterable[UUID]) -> dict[UUID, tuple[str, int]]:
    """Epochs and heads of many conversations, for the poll."""
    found = _heads(conversations=list(conversations))
    return {id_: (epochs.visible(epoch), seq) for id_, epoch, seq in found}


@Prepared
def _heads(conversations: list[UUID]) -> QuerySet[Conversation, tuple[UUID, UUID, int]]:
    return Conversation.objects.filter(id__in=conversations).values_list("id", "epoch", "last_seq")


def events(
    conversation: UUID, after_seq: int, limit: int, up_to: int | None = None, most_bytes: int | None = None
) -> list[Json]:
    """Frames of the log after `after_seq`, in order; with `most_bytes` no more than that takes as stored, but one.

    For callers that checked membership.
    """
    # The log has no holes.
    last = after_seq + limit if up_to is None else min(after_seq + limit, up_to)
    if most_bytes is None:
        return wire.stored_events(_between(conversation=conversation, after=after_seq, last=last))
    return wire.stored_events(_fitting_between(conversation=conversation, after=after_seq, last=last, size=most_bytes))


@Prepared
def _between(conversation: UUID, after: int, last: int) -> QuerySet[Event, Event]:
    return Event.objects.filter(conversation=conversation, seq__gt=after, seq__lte=last).order_by("seq")


@Prepared
def _fitting_between(conversation: UUID, after: int, last: int, size: int) -> QuerySet[Event, Event]:
    rows = Event.objects.filter(conversation=conversation, seq__gt=after, seq__lte=last).order_by("seq")
    return rows.annotate(in_front=_stored_in_front()).filter(in_front__lt=size)


def _stored_in_front() -> Combinable:
    """Bytes of data that the rows before a row take, without reading them."""
    size = Func(F("data"), function="pg_column_size", output_field=IntegerField())
    return Window(Sum(size), order_by=F("seq").asc()) - size


def events_for(user: UUID, conversation: UUID, after_seq: int, limit: int, up_to: int) -> list[Json]:
    """Like `events`; nothing where the user is no member (any more)."""
    return (
        events(conversation, after_seq, limit, up_to, settings.BATCH_MAX_BYTES) if role_of(user, conversation) else []
    )


def seq_before(conversation: UUID, moment: datetime) -> int:
    """The last seq whose time is before `moment`, so that events of that very millisecond come again."""
    rows = Event.objects.filter(conversation=conversation, at__lt=moment).order_by("-seq")
    return rows.values_list("seq", flat=True).first() or 0


def standing(conversation: UUID) -> tuple[str, int, list[Json]]:
    """Epoch, head and running answers of one moment. For a room. Raises Problem `not_found`."""
    with one_moment():
        return *head(conversation), running_texts(conversation)


def snapshot(conversation: UUID, reader: User | None = None) -> Json:
    """`{epoch, head, snapshot: {seq, state: {messages, runs, truncated}}}`, all of one moment.

    The newest messages that fit in SNAPSHOT_MAX_BYTES; `reader` is whose feedback is shown. Membership was checked.
    """
    with one_moment():
        epoch, seq = head(conversation)
        shown = Message.objects.shown().filter(conversation=conversation)
        alive = Run.objects.filter(conversation=conversation, ended_at=None).order_by("queued_seq")
        kept, truncated = _fitting(shown.order_by("-seq"), reader, settings.SNAPSHOT_MAX_BYTES)
        state = {"messages": kept, "runs": [wire.run(run) for run in alive], "truncated": truncated}
    return {"epoch": epoch, "head": seq, "snapshot": {"seq": seq, "state": state}}


def _fitting(newest_first: QuerySet[Message], reader: User | None, limit: int) -> tuple[list[Json], bool]:
    """Public forms, oldest first, of as many of the newest messages as fit in `limit` bytes (CATCHUP_MAX at most),
    and whether there are more. No more rows are read than that takes."""
    kept: list[Json] = []
    while len(kept) < settings.CATCHUP_MAX:
        rows = newest_first[len(kept) : len(kept) + FITTED_AT_ONCE]
        found = wire_messages(rows, reader)
        for public in found:
            limit -= len(msgspec.json.encode(public)) + 1
            if limit < 0:
                return kept[::-1], True
            kept.append(public)
        if len(found) < FITTED_AT_ONCE:
            return kept[::-1], False
    return kept[::-1], newest_first[len(kept) :].exists()
