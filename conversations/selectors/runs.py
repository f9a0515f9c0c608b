"""Turns of assistants, and how much of their answers is stored."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models.expressions import RawSQL

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import keys, wire
from conversations.models import Event, Message, Run
from conversations.permissions import Permission, require
from conversations.selectors.conversations import role_of
from conversations.services.endings import stored_text

Json = dict[str, Any]


def run_for(user: User, id_: UUID, permission: Permission = Permission.READ) -> Run:
    """A run of a conversation that `user` may read. Raises Problem `not_found` or `forbidden`."""
    run = Run.objects.filter(id=id_, conversation__members__user=user).first()
    if run is None:
        raise Problem("not_found")
    require(role_of(user.id, run.conversation_id), permission)
    return run


def first_run(conversation: UUID) -> Run:
    """The run that was asked for when a conversation began. Raises Problem `not_found` where that is gone."""
    run = Run.objects.filter(conversation=conversation).order_by("queued_seq").first()
    if run is None:
        raise Problem("not_found")
    return run


def error_of(run: Run) -> Json | None:
    """Why a run failed: `{code, message}`. Membership was checked."""
    error: Json | None = wire.opened(run.error, run.conversation_id, run.end_event, "error")
    return error


def steps_of(run: Run) -> list[Json]:
    """The steps of a run, and what it asked, in clear. Membership was checked."""
    return [wire.step(run, stored) for stored in run.steps]


def sources_of(run: Run) -> list[Json]:
    """What an ended answer rests on. Membership was checked."""
    ended = Event.objects.filter(conversation=run.conversation_id, id=run.end_event) if run.end_event else None
    end = ended and ended.first()
    return (wire.stored_event(end)["data"].get("sources") or []) if end else []


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
    row = run.message and Message.objects.filter(id=run.message).exclude(status=Message.Status.STREAMING).first()
    key = keys.find(run.conversation_id)
    text = wire.message_text(row) if row else stored_text(run, key) if key else ""
    return {"run": str(run.id), "message": str(run.message) if run.message else None, "text": text}


def stored_lengths(conversations: Iterable[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Run -> (conversation, stored code points) of every running answer, for the poll."""
    rows = Run.objects.filter(conversation_id__in=list(conversations), status__in=Run.ACTIVE)
    return {
        id_: (conversation, stored) for id_, conversation, stored in rows.values_list("id", "conversation_id", "stored")
    }


def unfinished_runs(conversation: UUID) -> list[Json]:
    """Queued, running and waiting runs in their order. Membership was checked."""
    rows = Run.objects.filter(conversation=conversation, ended_at=None).order_by(RawSQL(Run.IN_TURN, ()), "queued_seq")  # noqa: S611  our own
    return [wire.run(row) for row in rows]


def ended_run(id_: UUID) -> Run | None:
    """The run, once it has ended."""
    return Run.objects.filter(id=id_, ended_at__isnull=False).first()
