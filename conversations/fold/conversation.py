"""The conversation as a whole, and who takes part. The members of an imported log are history, no users here."""

from django.utils.dateparse import parse_datetime

from chatproject.lib.clock import rfc3339
from conversations import handing
from conversations.fold.state import Fold, on
from conversations.models import Conversation, Event

CHANGEABLE = ("status", "tags", "assistant", "metadata")


@on("conversation:new")
def _conversation_new(fold: Fold, event: Event) -> None:
    data = event.data
    owner = str(event.imported_by or event.actor_id)
    fold.conversation = {
        "owner": owner,
        "title": None,
        "title_event": None,
        "status": Conversation.Status.OPEN.value,
        "assistant": data["assistant"],
        "agent": None,
        "metadata": data["metadata"],
        "tags": data.get("tags", []),
        "expires_at": rfc3339(parse_datetime(data.get("expires_at") or "")),
        "archived_at": None,
        "version": 1,
        "active_run": None,
        "created_at": rfc3339(event.at),
        **dict.fromkeys(Conversation.COUNTERS, 0),
        **fold.conversation,
    }
    _set_title(fold, event)
    fold.members[owner] = {"role": "owner", "since": rfc3339(event.at)}


@on("conversation:update")
def _conversation_update(fold: Fold, event: Event) -> None:
    fold.conversation |= {name: event.data[name] for name in CHANGEABLE if name in event.data}
    if "title" in event.data:
        _set_title(fold, event)
    if "status" in event.data:
        archived = fold.conversation["status"] == Conversation.Status.ARCHIVED
        fold.conversation["archived_at"] = (fold.conversation["archived_at"] or rfc3339(event.at)) if archived else None
        fold.conversation["agent"] = None
    fold.conversation["version"] += 1


@on("conversation:handoff")
def _conversation_handoff(fold: Fold, event: Event) -> None:
    if not event.imported_by:
        status, agent = handing.after(event)
        fold.conversation |= {"status": status, "agent": str(agent) if agent else None}
        fold.conversation["version"] += 1


def _set_title(fold: Fold, event: Event) -> None:
    title = event.data["title"]
    fold.conversation |= {"title": title, "title_event": str(event.id) if title else None}


@on("member:add")
def _member_add(fold: Fold, event: Event) -> None:
    if not event.imported_by:
        fold.members[event.data["user"]] = {"role": event.data["role"], "since": rfc3339(event.at)}


@on("member:update")
def _member_update(fold: Fold, event: Event) -> None:
    if not event.imported_by and event.data["user"] in fold.members:
        fold.members[event.data["user"]]["role"] = event.data["role"]


@on("member:remove")
def _member_remove(fold: Fold, event: Event) -> None:
    if not event.imported_by:
        fold.members.pop(event.data["user"], None)
