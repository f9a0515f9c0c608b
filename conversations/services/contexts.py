"""What making a context leaves behind: numbers of tokens, summaries, and the report of a run."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import OperationalError, connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from chatproject.lib import metrics, rows
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import event_types, keys, queue
from conversations.context import digests, tokens
from conversations.context.digests import Made
from conversations.models import Conversation, Message, Run, Summary
from conversations.services.runs import Claim

log = logging.getLogger(__name__)

NOTE = "UPDATE conversations_run SET context = %s::jsonb WHERE id = %s AND fence = %s"
Counted = Mapping[UUID, tuple[UUID | None, int]]


def keep(
    *, conversation: UUID, encoding: str, counted: Counted, made: Sequence[Made], head: int, incomplete: bool
) -> None:
    """Store what came up while a context was made from a conversation whose log ended at `head`.

    It is worth keeping, but nobody is to fail for it: what cannot be written now is made again.
    """
    try:
        if counted:
            note_tokens(encoding, counted)
        for one in made:
            store_summary(conversation=conversation, made=one, head=head)
        if made or incomplete:
            queue.enqueue(queue.SUMMARISE, once=True, conversation=str(conversation))
    except OperationalError as error:
        log.warning("what a context left behind is not kept: %s", type(error).__name__)


def note_tokens(encoding: str, counted: Counted) -> None:
    """Add the tokens of messages, message -> (event of the text, tokens); not where the text has changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE conversations_message m SET tokens = m.tokens || jsonb_build_object(%s::text, v.n)"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS v(id, event, n)"
            " WHERE m.id = v.id AND m.text_event = v.event",
            [encoding, list(counted), [event for event, _ in counted.values()], [n for _, n in counted.values()]],
        )


def store_summary(*, conversation: UUID, made: Made, head: int) -> bool:
    """Store a summary that was made from what the log said up to `head`; whether it is still true.

    The text was made outside of any lock; the conversation's row is held just to look whether the range changed
    meanwhile.
    """
    id_ = new_id()
    sealed = keys.of(conversation).seal(made.text, event_types.context(conversation, id_, digests.FIELD))
    counts = tokens.counts(digests.shown(made.range, made.text))
    with transaction.atomic():
        row = Conversation.objects.select_for_update(no_key=True).get(id=conversation)
        if not row.data_key or _may_differ(row, made, head):
            return False
        numbers = {"conversation": row, "from_seq": made.range.from_seq, "to_seq": made.range.to_seq}
        Summary.objects.filter(**numbers).delete()
        sizes = {encoding: size + tokens.PER_MESSAGE for encoding, size in counts.items()}
        Summary.objects.create(id=id_, **numbers, text=sealed, tokens=sizes, author=made.author, made_at=Now())
    metrics.summaries.labels(made.author or "extract").inc()
    return True


def _may_differ(row: Conversation, made: Made, head: int) -> bool:
    """Whether the range has changed since `head`, or an answer that belongs into it is still being given."""
    numbers = (made.range.from_seq, made.range.to_seq)
    inside = Message.objects.filter(conversation=row, anchor__range=numbers, changed_seq__gt=head)
    alive = Run.objects.filter(Q(status=Run.Status.QUEUED) | Q(id=row.active_run), conversation=row)
    asked = Message.objects.filter(id__in=alive.values("reply_to"), seq__range=numbers)
    return row.last_seq < made.range.to_seq or inside.exists() or asked.exists()


def note_context(*, claim: Claim, report: dict[str, Any]) -> None:
    """Store what a run is about to send. Raises Problem `run_not_active` when fenced off."""
    if not rows.execute(NOTE, msgspec.json.encode(report).decode(), claim.run, claim.fence).rowcount:
        raise Problem("run_not_active", "This run was ended by somebody else.")
