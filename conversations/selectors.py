"""The one way out: reads, always through what the asking user may see.

Functions that take a `user` check membership; those that do not are for callers that already did
(a room, a worker), and say so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import keys, wire
from conversations.access import Permission, require
from conversations.models import Conversation, Event, Member, Message, Run
from conversations.services.runs import stored_text

Json = dict[str, Any]


def conversation_for(user: User, id_: UUID, permission: Permission = Permission.READ) -> Conversation:
    """The conversation, with `role`, `unread` and `members_count`. Raises Problem `not_found` or `forbidden`."""
    row = visible_conversations(user).filter(id=id_).first()
    if row is None:
        raise Problem("not_found")
    require(row.role, permission)
    return row


def visible_conversations(user: User) -> QuerySet[Conversation, Any]:
    """Every conversation of which `user` is a member, annotated for `wire_conversation`."""
    mine = Member.objects.filter(conversation=OuterRef("pk"), user=user)
    others = (
        Message.objects.filter(conversation=OuterRef("pk"), seq__gt=OuterRef("read_seq"))
        .exclude(author_id=str(user.id))
        .order_by()
        .values("conversation")
        .annotate(n=Count("pk"))
    )
    counts = (
        Member.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation").annotate(n=Count("pk"))
    )
    return Conversation.objects.filter(members__user=user).annotate(
        role=Subquery(mine.values("role")),
        read_seq=Subquery(mine.values("read_seq")),
        unread=Coalesce(Subquery(others.values("n")), 0),
        members_count=Coalesce(Subquery(counts.values("n")), 0),
    )


def wire_conversation(row: Any) -> Json:
    """The public form of a row of `visible_conversations`."""
    return wire.conversation(row, role=row.role, unread=row.unread, members_count=row.members_count)


def role_of(user_id: UUID, conversation: UUID) -> str | None:
    rows = Member.objects.filter(conversation=conversation, user_id=user_id, user__is_active=True)
    return rows.values_list("role", flat=True).first()


def member_rows(conversation: UUID) -> QuerySet[Member]:
    """Members with their users, the first ones first. For callers that checked membership."""
    return Member.objects.filter(conversation=conversation).select_related("user").order_by("since", "id")


def members(conversation: UUID) -> list[Json]:
    """For callers that checked membership."""
    return [wire.member(row) for row in member_rows(conversation)]


def head(conversation: UUID) -> tuple[str, int]:
    """Epoch and head. For callers that checked membership. Raises Problem `not_found`."""
    row = Conversation.objects.filter(id=conversation).values_list("epoch", "last_seq").first()
    if row is None:
        raise Problem("not_found")
    return str(row[0]), row[1]


def heads(conversations: Iterable[UUID]) -> dict[UUID, tuple[str, int]]:
    """Epochs and heads of many conversations, for the poll."""
    rows = Conversation.objects.filter(id__in=list(conversations)).values_list("id", "epoch", "last_seq")
    return {id_: (str(epoch), seq) for id_, epoch, seq in rows}


def events(conversation: UUID, after_seq: int, limit: int, up_to: int | None = None) -> list[Json]:
    """Frames of the log after `after_seq`, in order. For callers that checked membership."""
    rows = Event.objects.filter(conversation=conversation, seq__gt=after_seq).order_by("seq")
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return wire.stored_events(rows[:limit])


def seq_before(conversation: UUID, moment: datetime) -> int:
    """The last seq whose time is before `moment`, so that events of that very millisecond come again."""
    rows = Event.objects.filter(conversation=conversation, at__lt=moment).order_by("-seq")
    return rows.values_list("seq", flat=True).first() or 0


def messages(conversation: UUID, *, before_seq: int | None, after_seq: int | None, limit: int) -> list[Json]:
    """Up to `limit` messages in order: the newest, those before, or those after a seq. Membership was checked."""
    rows = Message.objects.filter(conversation=conversation)
    if before_seq is not None:
        rows = rows.filter(seq__lt=before_seq)
    if after_seq is not None:
        return wire_messages(rows.filter(seq__gt=after_seq).order_by("seq")[:limit])
    return wire_messages(reversed(rows.order_by("-seq")[:limit]))


def transcript(conversation: UUID, *, after_seq: int, up_to: int, limit: int) -> list[Message]:
    """Messages for people to read, in order. Membership was checked."""
    rows = Message.objects.filter(conversation=conversation, seq__gt=after_seq, seq__lte=up_to)
    return list(rows.order_by("seq")[:limit])


def message(conversation: UUID, id_: UUID) -> Json:
    """One message. Membership was checked. Raises Problem `not_found`."""
    row = Message.objects.filter(conversation=conversation, id=id_).first()
    if row is None:
        raise Problem("not_found")
    return wire_messages([row])[0]


def wire_messages(rows: Iterable[Message]) -> list[Json]:
    """Public forms; a running answer shows what is stored of it."""
    found: Sequence[Message] = list(rows)
    running = Run.objects.filter(id__in=[row.run for row in found if row.status == Message.Status.STREAMING])
    partial = {run.message: stored_text(run, keys.of(run.conversation_id)) for run in running}
    return [wire.message(row, partial.get(row.id)) for row in found]


def run_for(user: User, id_: UUID, permission: Permission = Permission.READ) -> Run:
    """A run of a conversation that `user` may read. Raises Problem `not_found` or `forbidden`."""
    run = Run.objects.filter(id=id_, conversation__members__user=user).first()
    if run is None:
        raise Problem("not_found")
    require(role_of(user.id, run.conversation_id), permission)
    return run


def running_texts(conversation: UUID) -> list[Json]:
    """What is stored of each running answer: `{run, message, text}`. Membership was checked."""
    return [answer(run) for run in Run.objects.filter(conversation=conversation, status__in=Run.ACTIVE)]


def running_tails(conversation: UUID, known: Mapping[str, int]) -> list[Json]:
    """What is stored of running answers beyond what is `known` of them (run -> the end of a piece):
    `{run, message, offset, text}`. For a room."""
    key = keys.of(conversation)
    return [
        {
            "run": str(run.id),
            "message": str(run.message),
            "offset": known[str(run.id)],
            "text": stored_text(run, key, known[str(run.id)]),
        }
        for run in Run.objects.filter(id__in=known.keys(), status__in=Run.ACTIVE)
    ]


def answer(run: Run) -> Json:
    """What is stored of an answer, running or ended: `{run, message, text}`. Membership was checked."""
    row = run.message and Message.objects.filter(id=run.message, text__isnull=False).first()
    text = wire.message_text(row) if row else stored_text(run, keys.of(run.conversation_id))
    return {"run": str(run.id), "message": str(run.message) if run.message else None, "text": text}


def standing(conversation: UUID) -> tuple[str, int, list[Json]]:
    """Epoch, head and running answers of one moment. For a room. Raises Problem `not_found`."""
    with _one_moment():
        return *head(conversation), running_texts(conversation)


def stored_lengths(conversations: Iterable[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Run -> (conversation, stored code points) of every running answer, for the poll."""
    rows = Run.objects.filter(conversation_id__in=list(conversations), status__in=Run.ACTIVE)
    return {
        id_: (conversation, stored) for id_, conversation, stored in rows.values_list("id", "conversation_id", "stored")
    }


def history(conversation: UUID, reply_to: UUID, limit: int) -> list[tuple[str, str]]:
    """(role, text) of the turns up to the message `reply_to`, oldest first: what an assistant is sent.

    An answer stands behind the message that it answers, even where others wrote in between; answers to
    later messages are not in it (PROTOCOL.md section 4, `run:start`).
    """
    asked = Message.objects.get(id=reply_to)
    rows = Message.objects.filter(conversation=conversation).annotate(
        anchor=Coalesce(Subquery(Message.objects.filter(id=OuterRef("reply_to"), role="user").values("seq")), F("seq"))
    )
    before = Q(anchor__lt=asked.seq) | Q(id=asked.id)
    newest = rows.filter(before).exclude(status=Message.Status.STREAMING).order_by("-anchor", "-seq")[:limit]
    texts = [(row.role, wire.message_text(row)) for row in reversed(newest)]
    return [(role, text) for role, text in texts if text]


def snapshot(conversation: UUID) -> Json:
    """`{epoch, head, snapshot: {seq, state: {messages, runs, truncated}}}`, all of one moment.

    The newest messages that fit in SNAPSHOT_MAX_BYTES. Membership was checked.
    """
    with _one_moment():
        epoch, seq = head(conversation)
        rows = list(Message.objects.filter(conversation=conversation).order_by("-seq")[: settings.CATCHUP_MAX])
        total = Message.objects.filter(conversation=conversation).count()
        alive = Run.objects.filter(conversation=conversation, ended_at=None).order_by("queued_seq")
        kept = _fitting(rows, settings.SNAPSHOT_MAX_BYTES)
        state = {"messages": kept, "runs": [wire.run(run) for run in alive], "truncated": len(kept) < total}
    return {"epoch": epoch, "head": seq, "snapshot": {"seq": seq, "state": state}}


@contextmanager
def _one_moment() -> Iterator[None]:
    """All reads inside see the same state."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _fitting(newest_first: Iterable[Message], limit: int) -> list[Json]:
    """Public forms, oldest first, of as many of the newest messages as fit in `limit` bytes."""
    kept: list[Json] = []
    for row in newest_first:
        public = wire_messages([row])[0]
        limit -= len(msgspec.json.encode(public)) + 1
        if limit < 0:
            break
        kept.append(public)
    return kept[::-1]


def ended_run(id_: UUID) -> Run | None:
    """The run, once it has ended."""
    return Run.objects.filter(id=id_, ended_at__isnull=False).first()
