"""Teams in the log: the turn that follows another one, queued in the commit that ends it.

A run of a team has `team`: `{name, id, began, by, turn, tries}`. `id` is the first of its runs, `began` the seq
of what opened it, `by` who asked, `turn` 0 for a run that only names the first speaker. When it ends, `next`
and `why` are added.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatproject.lib.ids import new_id
from conversations.appends import Decision, Draft, State
from conversations.assistants.composing import members, speaking
from conversations.assistants.composing.speaking import Said, Spent
from conversations.models import Conversation, Message, Run
from conversations.services.waking import enqueue

Json = dict[str, Any]
# How often the same turn is begun, where its workers die.
TRIES = 3


@dataclass(frozen=True)
class Following:
    """The next turn of a `team`: `name` speaks, `why` says the log; empty where the team has ended. `reply_to` is the
    message that is answered, None the same one as before. `again`: it is the same turn once more."""

    name: str
    team: Json
    why: str
    reply_to: UUID | None = None
    again: bool = False

    @property
    def told(self) -> Json:
        """What `run:end` says of it."""
        return {**self.team, "next": self.name or None, "why": self.why}


def opened(name: str, run: object, seq: int, turn: int, by: object = None) -> Json:
    """The `team` of a run that opens one, `by` the user who asked for it."""
    return {"name": name, "id": str(run), "began": seq, "turn": turn, "tries": 1, "by": str(by) if by else None}


def asked(name: str, seq: int, by: object) -> Json:
    """What an event says whose answer `name` is to give: a run, and of a team who speaks first, where that is known
    without asking a coordinator. `seq` is that of the event."""
    run, config = str(new_id()), members.config_of(name)
    if config is None:
        return {"assistant": name, "run": run}
    first = speaking.next_speaker(config, [], Spent(0)).name
    return {"assistant": first or name, "run": run, "team": opened(name, run, seq, 1 if first else 0, by)}


def once_more(assistant: str, team: Json) -> Following:
    """The same turn again, because its worker is gone; not for ever."""
    if team["tries"] >= TRIES:
        return Following("", team, f"interrupted {TRIES} times")
    return Following(assistant, team, "the worker was lost", again=True)


def going_on(state: State, run: Run, ended: Decision, following: Following | None) -> Decision:
    """`ended`, the decision that ends `run`, with what follows: nothing where people have taken over."""
    if following is None:
        return ended
    end = next(draft for draft in ended.drafts if draft.type == "run:end" and draft.data["run"] == str(run.id))
    if following.name and state.conversation.status != Conversation.Status.OPEN:
        following = Following("", following.team, "people have taken over")
    end.data["team"] = following.told
    if not following.name:
        return ended
    state.settle()
    queued = _queued(state, run, end, following)
    effects: list[Callable[[], object]] = [*ended.effects, enqueue(state.conversation.id)]
    return Decision([*ended.drafts, queued], effects)


def _queued(state: State, run: Run, end: Draft, following: Following) -> Draft:
    team = following.team
    counted = {"tries": team["tries"] + 1} if following.again else {"turn": team["turn"] + 1, "tries": 1}
    question = state.message(following.reply_to or run.reply_to)
    begun = end.data["message"] if following.again else None
    return Draft("run:queue", {
        "run": str(new_id()),
        "reply_to": str(question.id),
        "reply_seq": question.seq,
        "assistant": following.name,
        "branch_of": str(state.message(UUID(begun)).group) if begun else None,
        "team": {**team, **counted},
    })  # fmt: skip


def runs_before(conversation: UUID, team: Json, run: UUID) -> list[Run]:
    """The runs of a team that have ended, in their order, without this one."""
    return [one for one in runs_of(conversation, team) if one.id != run and one.ended_at]


def spoken(runs: list[Run]) -> list[Said]:
    """The turns that were taken, without those that are taken once more; what was said in them is not read."""
    taken = [run for run in runs if run.team and run.team["turn"] and run.status != Run.Status.INTERRUPTED]
    return [Said(run.assistant, failed=run.status == Run.Status.FAILED) for run in taken]


def runs_of(conversation: UUID, team: Json) -> list[Run]:
    """The runs of a team, in their order."""
    return list(Run.objects.filter(conversation=conversation, team__id=team["id"]).order_by("queued_seq"))


def current(state: State, run: Run) -> Run:
    """The run that `stop` is meant for: this one, or the one that its team has come to meanwhile."""
    if not run.team:
        return run
    state.settle()
    alive = (one for one in runs_of(state.conversation.id, run.team) if one.ended_at is None)
    return next(alive, run)


def said_by(state: State, team: Json) -> list[UUID]:
    """The messages of a team that are still there."""
    ids = [run.message for run in runs_of(state.conversation.id, team) if run.message]
    rows = Message.objects.filter(id__in=ids).exclude(status__in=Message.GONE)
    return list(rows.order_by("seq").values_list("id", flat=True))
