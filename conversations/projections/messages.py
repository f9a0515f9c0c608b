"""Events about messages: said, edited, deleted, pinned, chosen among alternatives."""

from uuid import UUID

from chatproject.lib import rows
from conversations.models import Conversation, Event, Message
from conversations.projections.projector import Projector
from conversations.projections.registry import on
from conversations.projections.runs import queued_run
from conversations.projections.texts import carry, forget_summaries, set_text, show, unselect


@on("message:new")
def _message_new(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    row = rows.new(
        Message,
        id=UUID(data["message"]),
        conversation_id=conversation.id,
        seq=event.seq,
        anchor=event.seq,
        role=event.actor_kind,
        author_id=event.actor_id,
        author_name=event.actor_name,
        status=Message.Status.COMPLETE,
        parts=data.get("parts") or [],
        custom=data.get("custom"),
        extra=data.get("extra") or {},
        reply_to=data.get("reply_to"),
        seen_seq=data.get("seen_seq"),
        run=data.get("run"),
        imported=event.imported_by is not None,
        created_at=event.at,
    )
    set_text(row, conversation, event)
    projector.insert(row)
    if row.parts:
        carry(conversation, row)
    if data.get("run"):
        projector.insert(queued_run(conversation, event))


@on("message:edit")
def _message_edit(projector: Projector, conversation: Conversation, event: Event) -> None:
    row = projector.message(event.data["message"])
    forget_summaries(conversation, row.anchor)
    set_text(row, conversation, event)
    row.edited_at = event.at
    projector.save(row)


@on("message:delete")
def _message_delete(projector: Projector, conversation: Conversation, event: Event) -> None:
    forget_summaries(conversation, projector.message(event.data["message"]).anchor)
    show(projector.message_rows(event.data["message"]), event.seq, status=Message.Status.DELETED)


@on("message:pin")
def _message_pin(projector: Projector, conversation: Conversation, event: Event) -> None:
    projector.update_message(event.data["message"], pinned=event.data["on"], changed_seq=event.seq)


@on("branch:select")
def _branch_select(projector: Projector, conversation: Conversation, event: Event) -> None:
    row = projector.message(event.data["message"])
    forget_summaries(conversation, row.anchor)
    unselect(conversation, row.group, event.seq, but=row.id)
    show(projector.message_rows(event.data["message"]), event.seq, selected=True)
