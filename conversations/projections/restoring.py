"""Going back in time: texts and visibility of messages become those at an earlier seq; everything else stays.

Only rows that changed since then are touched. What they were is in the rows themselves (conversations/past.py),
so that a restore can be restored, and texts alone are fetched from the log.
"""

from typing import Any

from django.db import connection
from django.db.models import Min

from chatproject.lib.clock import rfc3339
from conversations import past
from conversations.models import Conversation, Event, Message, Summary
from conversations.projections.projector import Projector
from conversations.projections.registry import on
from conversations.projections.texts import put_text

# `past.visibility_at` for many rows at once.
SHOW_AS_BEFORE = """
    UPDATE conversations_message m
       SET past = m.past || jsonb_build_object('until', %(seq)s::bigint, 'status', m.status, 'selected', m.selected),
           status = t.status, selected = t.selected, changed_seq = %(seq)s
      FROM (SELECT id,
                   CASE WHEN seq > %(to_seq)s THEN 'hidden' ELSE coalesce(b.entry->>'status', status) END AS status,
                   CASE WHEN seq > %(to_seq)s THEN selected AND branch_of IS NULL
                        ELSE coalesce((b.entry->>'selected')::boolean, selected) END AS selected
              FROM conversations_message
              LEFT JOIN LATERAL (
                   SELECT entry FROM jsonb_array_elements(past) WITH ORDINALITY AS p(entry, n)
                    WHERE (entry->>'until')::bigint > %(to_seq)s ORDER BY n LIMIT 1) b ON true
             WHERE conversation_id = %(conversation)s AND changed_seq > %(to_seq)s) t
     WHERE m.id = t.id AND (m.status, m.selected) IS DISTINCT FROM (t.status, t.selected)
"""
TEXT_COLUMNS = ("text", "text_event", "versions", "tokens", "redacted", "sensitive", "edited_at", "changed_seq")


@on("conversation:restore")
def _conversation_restore(projector: Projector, conversation: Conversation, event: Event) -> None:
    projector.flush()
    _restore_texts(conversation, event, event.data["to_seq"])
    values = {"seq": event.seq, "to_seq": event.data["to_seq"], "conversation": conversation.id}
    with connection.cursor() as cursor:
        cursor.execute(SHOW_AS_BEFORE, values)
    _forget_summaries(conversation, event)


def _forget_summaries(conversation: Conversation, event: Event) -> None:
    """What covers something that changed is not true any more."""
    changed = Message.objects.filter(conversation=conversation, changed_seq=event.seq)
    first = changed.aggregate(Min("anchor"))["anchor__min"]
    if first is not None:
        Summary.objects.filter(conversation=conversation, to_seq__gte=first).delete()


def _restore_texts(conversation: Conversation, event: Event, to_seq: int) -> None:
    rows = Message.objects.filter(conversation=conversation, changed_seq__gt=to_seq, versions__1__isnull=False)
    back = [(row, version) for row in rows if (version := _version_back(row, to_seq))]
    sources = {past.source(version) for _, version in back}
    written = {text.seq: text for text in Event.objects.filter(conversation=conversation, seq__in=sources)}
    for row, version in back:
        text = written[past.source(version)]
        put_text(row, conversation, text, past.restored(version, event.seq, str(rfc3339(event.at))))
        row.edited_at = text.at if text.type == "message:edit" else None
    Message.objects.bulk_update([row for row, _ in back], TEXT_COLUMNS, batch_size=200)


def _version_back(row: Message, to_seq: int) -> dict[str, Any] | None:
    """The version that `row` gets back; None where it has that text now."""
    version = past.version_at(row.versions, to_seq)
    return version if version and version["event"] != str(row.text_event) else None
