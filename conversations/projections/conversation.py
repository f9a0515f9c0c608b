"""Events about the conversation as a whole."""

from uuid import UUID

from django.utils.dateparse import parse_datetime

from conversations import handing
from conversations.models import Conversation, Event, Member
from conversations.projections.projector import Projector
from conversations.projections.registry import on


@on("conversation:new")
def _conversation_new(projector: Projector, conversation: Conversation, event: Event) -> None:
    """Whoever began it owns it; an imported one belongs to whoever imported it."""
    conversation.owner_id = event.imported_by or UUID(event.actor_id)
    conversation.created_at = event.at
    conversation.assistant = event.data["assistant"]
    conversation.metadata = event.data["metadata"]
    conversation.tags = event.data.get("tags", [])
    conversation.expires_at = parse_datetime(event.data.get("expires_at") or "")
    _set_title(conversation, event)
    Member.objects.create(conversation=conversation, user_id=conversation.owner_id, role="owner", since=event.at)


@on("conversation:update")
def _conversation_update(projector: Projector, conversation: Conversation, event: Event) -> None:
    changed = [name for name in ("status", "tags", "assistant", "metadata") if name in event.data]
    for name in changed:
        setattr(conversation, name, event.data[name])
    if "title" in event.data:
        _set_title(conversation, event)
        changed += ["title", "title_event"]
    if "status" in event.data:
        archived = conversation.status == Conversation.Status.ARCHIVED
        conversation.archived_at = (conversation.archived_at or event.at) if archived else None
        conversation.agent = None
        changed += ["archived_at", "agent"]
    conversation.version += 1
    conversation.save(update_fields=[*changed, "version"])


@on("conversation:handoff")
def _conversation_handoff(projector: Projector, conversation: Conversation, event: Event) -> None:
    """In an imported log it is history: whom it names is no user here, and nobody here was asked."""
    if event.imported_by:
        return
    conversation.status, conversation.agent = handing.after(event)
    conversation.version += 1
    conversation.save(update_fields=["status", "agent", "version"])


def _set_title(conversation: Conversation, event: Event) -> None:
    conversation.title = event.data["title"]
    conversation.title_event = event.id if event.data["title"] else None
