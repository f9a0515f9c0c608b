"""From events to rows: what can be thrown away and rebuilt from the log.

A handler sees the stored form of an event (secrets sealed) and copies envelopes, so that a rebuild needs
no key. New messages and runs are gathered and inserted together; everything else is written at once.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from conversations.models import Conversation, Event, Member, Message, Run

Handler = Callable[["Projector", Conversation, Event], None]
_handlers: dict[str, Handler] = {}

MESSAGE_STATUS = {
    "completed": "complete",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


def on(type_: str) -> Callable[[Handler], Handler]:
    """Register the handler of one event type."""

    def register(handler: Handler) -> Handler:
        _handlers[type_] = handler
        return handler

    return register


class Projector:
    """Applies the events of one transaction, in order."""

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._runs: list[Run] = []

    def apply(self, conversation: Conversation, event: Event) -> None:
        _handlers[event.type](self, conversation, event)

    def insert(self, row: Message | Run) -> None:
        (self._messages if isinstance(row, Message) else self._runs).append(row)  # type: ignore[arg-type]

    def flush(self) -> None:
        """Insert what was gathered; before any statement that must find it."""
        if self._messages:
            Message.objects.bulk_create(self._messages)
        if self._runs:
            Run.objects.bulk_create(self._runs)
        self._messages, self._runs = [], []

    def update_run(self, run: str, **fields: Any) -> None:
        self.flush()
        Run.objects.filter(id=run).update(**fields)

    def update_message(self, message: str, **fields: Any) -> None:
        self.flush()
        Message.objects.filter(id=message).update(**fields)


@on("conversation:new")
def _conversation_new(projector: Projector, conversation: Conversation, event: Event) -> None:
    conversation.owner_id = UUID(event.actor_id)
    conversation.created_at = event.at
    conversation.assistant = event.data["assistant"]
    conversation.metadata = event.data["metadata"]
    _set_title(conversation, event)
    Member.objects.create(conversation=conversation, user_id=event.actor_id, role="owner", since=event.at)


@on("conversation:update")
def _conversation_update(projector: Projector, conversation: Conversation, event: Event) -> None:
    changed = [name for name in ("status", "tags", "assistant", "metadata") if name in event.data]
    for name in changed:
        setattr(conversation, name, event.data[name])
    if "title" in event.data:
        _set_title(conversation, event)
        changed += ["title", "title_event"]
    conversation.version += 1
    conversation.save(update_fields=[*changed, "version"])


def _set_title(conversation: Conversation, event: Event) -> None:
    conversation.title = event.data["title"]
    conversation.title_event = event.id if event.data["title"] else None


@on("member:add")
def _member_add(projector: Projector, conversation: Conversation, event: Event) -> None:
    Member.objects.create(
        conversation=conversation, user_id=event.data["user"], role=event.data["role"], since=event.at
    )


@on("member:update")
def _member_update(projector: Projector, conversation: Conversation, event: Event) -> None:
    Member.objects.filter(conversation=conversation, user_id=event.data["user"]).update(role=event.data["role"])


@on("member:remove")
def _member_remove(projector: Projector, conversation: Conversation, event: Event) -> None:
    Member.objects.filter(conversation=conversation, user_id=event.data["user"]).delete()


@on("message:new")
def _message_new(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    projector.insert(
        Message(
            id=UUID(data["message"]),
            conversation=conversation,
            seq=event.seq,
            role=event.actor_kind,
            author_id=event.actor_id,
            author_name=event.actor_name,
            status=Message.Status.COMPLETE,
            text=data["text"],
            text_event=event.id,
            run=data.get("run"),
            reply_to=data.get("reply_to"),
            seen_seq=data.get("seen_seq"),
            created_at=event.at,
        )
    )
    if data.get("run"):
        projector.insert(_queued_run(conversation, event))


def _queued_run(conversation: Conversation, event: Event) -> Run:
    return Run(
        id=UUID(event.data["run"]),
        conversation=conversation,
        reply_to=UUID(event.data["message"]),
        assistant=event.data["assistant"],
        queued_seq=event.seq,
        queued_at=event.at,
    )


@on("run:start")
def _run_start(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    projector.update_run(data["run"], status=Run.Status.RUNNING, message=data["message"], started_at=event.at)
    projector.insert(
        Message(
            id=UUID(data["message"]),
            conversation=conversation,
            seq=event.seq,
            role=Message.Role.ASSISTANT,
            author_id=event.actor_id,
            author_name=event.actor_name,
            status=Message.Status.STREAMING,
            run=data["run"],
            reply_to=data["reply_to"],
            created_at=event.at,
        )
    )
    conversation.active_run = UUID(data["run"])


@on("run:step")
def _run_step(projector: Projector, conversation: Conversation, event: Event) -> None:
    projector.flush()
    run = Run.objects.get(id=event.data["run"])
    others = [step for step in run.steps if step["step"] != event.data["step"]]
    run.steps = [*others, {**event.data, "event": str(event.id)}]
    run.save(update_fields=["steps"])


@on("run:end")
def _run_end(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    projector.update_run(
        data["run"],
        status=data["status"],
        usage=data.get("usage"),
        error=data.get("error"),
        end_event=event.id,
        ended_at=event.at,
    )
    if data["message"]:
        status = MESSAGE_STATUS[data["status"]]
        projector.update_message(data["message"], status=status, text=data["text"], text_event=event.id)
    if conversation.active_run == UUID(data["run"]):
        conversation.active_run = None


@transaction.atomic
def rebuild(conversation_id: UUID) -> None:
    """Throw the projections of one conversation away and make them anew from its log, under its lock.

    What is not in the log survives: leases of runs, stored chunks, read markers.
    """
    conversation = Conversation.objects.select_for_update().get(id=conversation_id)
    runs = list(Run.objects.filter(conversation=conversation))
    reads = dict(Member.objects.filter(conversation=conversation).values_list("user_id", "read_seq"))
    _empty(conversation)
    projector = Projector()
    for event in Event.objects.filter(conversation=conversation).order_by("seq").iterator():
        projector.apply(conversation, event)
        conversation.updated_at = event.at
    projector.flush()
    Run.objects.bulk_update(runs, Run.LEASE_FIELDS)
    for user_id, seq in reads.items():
        Member.objects.filter(conversation=conversation, user_id=user_id).update(read_seq=seq)
    conversation.save()


def _empty(conversation: Conversation) -> None:
    """Delete the derived rows. Runs by SQL: their chunks stay, which refer to rows that come back below
    (the constraint is checked at COMMIT)."""
    Message.objects.filter(conversation=conversation).delete()
    Member.objects.filter(conversation=conversation).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM conversations_run WHERE conversation_id = %s", [conversation.id])
    conversation.title = conversation.title_event = conversation.assistant = conversation.active_run = None
    conversation.status, conversation.tags, conversation.metadata = Conversation.Status.OPEN, [], {}
    conversation.version = 1
