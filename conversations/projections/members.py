"""Events about who takes part. In an imported log they are history: whom they name are no users here."""

from conversations.models import Conversation, Event, Member
from conversations.projections.projector import Projector
from conversations.projections.registry import on


@on("member:add")
def _member_add(projector: Projector, conversation: Conversation, event: Event) -> None:
    if event.imported_by:
        return
    Member.objects.create(
        conversation=conversation, user_id=event.data["user"], role=event.data["role"], since=event.at
    )


@on("member:update")
def _member_update(projector: Projector, conversation: Conversation, event: Event) -> None:
    if event.imported_by:
        return
    Member.objects.filter(conversation=conversation, user_id=event.data["user"]).update(role=event.data["role"])


@on("member:remove")
def _member_remove(projector: Projector, conversation: Conversation, event: Event) -> None:
    if event.imported_by:
        return
    Member.objects.filter(conversation=conversation, user_id=event.data["user"]).delete()
