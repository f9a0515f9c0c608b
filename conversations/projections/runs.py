"""Events about turns of assistants."""

from uuid import UUID

from chatproject.lib import rows
from conversations import asking, past
from conversations.models import Conversation, Event, Message, Run
from conversations.projections.projector import Projector
from conversations.projections.registry import on
from conversations.projections.texts import carry, forget_summaries, set_text, unselect


@on("run:queue")
def _run_queue(projector: Projector, conversation: Conversation, event: Event) -> None:
    projector.insert(queued_run(conversation, event))


@on("run:start")
def _run_start(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    anchor = projector.message(data["reply_to"]).seq
    projector.update_run(
        data["run"],
        status=Run.Status.RUNNING,
        message=data["message"],
        version=data.get("version"),
        started_at=event.at,
    )
    if data.get("branch_of"):
        unselect(conversation, UUID(data["branch_of"]), event.seq)
        forget_summaries(conversation, anchor)
    projector.insert(
        rows.new(
            Message,
            id=UUID(data["message"]),
            conversation_id=conversation.id,
            seq=event.seq,
            anchor=anchor,
            changed_seq=event.seq,
            role=Message.Role.ASSISTANT,
            author_id=event.actor_id,
            author_name=event.actor_name,
            status=Message.Status.STREAMING,
            run=data["run"],
            reply_to=data["reply_to"],
            branch_of=data.get("branch_of"),
            imported=event.imported_by is not None,
            created_at=event.at,
        )
    )
    conversation.active_run = UUID(data["run"])


@on("run:step")
def _run_step(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    run = projector.run(data["run"])
    others = [step for step in run.steps if step["step"] != data["step"]]
    steps = [*others, {**data, "event": str(event.id)}]
    projector.update_run(data["run"], steps=steps, usage=data.get("usage") or run.usage)


@on("run:ask")
def _run_ask(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    run = projector.run(data["run"])
    asked = {"steps": asking.asked(run.steps, event), "status": Run.Status.WAITING}
    projector.update_run(data["run"], **asked, usage=data.get("usage") or run.usage)


@on("run:answer")
def _run_answer(projector: Projector, conversation: Conversation, event: Event) -> None:
    run = projector.run(event.data["run"])
    steps = asking.answered(run.steps, event)
    projector.update_run(event.data["run"], steps=steps, status=Run.Status.RUNNING)


@on("run:end")
def _run_end(projector: Projector, conversation: Conversation, event: Event) -> None:
    data = event.data
    run = projector.run(data["run"])
    projector.update_run(
        data["run"],
        status=data["status"],
        usage=data.get("usage"),
        error=data.get("error"),
        end_event=event.id,
        ended_at=event.at,
        steps=asking.closed(run.steps),
        team=data.get("team") or run.team,
    )
    if data["message"]:
        row = projector.message(data["message"])
        set_text(row, conversation, event)
        if data.get("parts"):
            row.parts = data["parts"]
            carry(conversation, row)
        status = past.ANSWERS[data["status"]]
        row.past = past.ended(row.past, status)
        row.status = status if row.status == Message.Status.STREAMING else row.status
        projector.save(row)
    if conversation.active_run == UUID(data["run"]):
        conversation.active_run = None


def asker(event: Event) -> UUID | None:
    """Which of our users asked for the run that an event queues; of a turn of a team, who asked the team."""
    by = event.user_id or (not event.imported_by and (event.data.get("team") or {}).get("by"))
    return UUID(by) if by else None


def queued_run(conversation: Conversation, event: Event) -> Run:
    """The run that `event` (`message:new` or `run:queue`) asks for."""
    data = event.data
    return rows.new(
        Run,
        id=UUID(data["run"]),
        conversation_id=conversation.id,
        reply_to=UUID(data.get("reply_to") if event.type == "run:queue" else data["message"]),
        branch_of=data.get("branch_of"),
        requested_by=asker(event),
        team=data.get("team"),
        assistant=data["assistant"],
        queued_seq=event.seq,
        queued_at=event.at,
    )
