"""Teams at work: when a turn of one ends, who speaks next (composing/speaking.py); the same commit queues that."""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar

import stamina
from django.conf import settings

from chatproject.lib import clock
from chatproject.lib.database import is_away
from chatproject.lib.threads import in_thread
from conversations.assistants.base import About
from conversations.assistants.composing import asking, members, speaking
from conversations.assistants.composing.asides import Nowhere
from conversations.assistants.composing.speaking import Next, Said, Spent, TeamConfig
from conversations.assistants.composing.taking import taken
from conversations.assistants.turn import RunningTurn
from conversations.context import building, terms
from conversations.models import Run
from conversations.services import teaming
from conversations.services.runs import Claim
from conversations.services.teaming import Following
from conversations.usage.tokens import Usage, added

T = TypeVar("T")
log = logging.getLogger(__name__)

# Messages that a coordinator is shown, the newest.
SHOWN = 20


async def follow(turn: RunningTurn, status: str) -> None:
    """Note on the turn of a team, which is about to end with this status, what follows it."""
    if turn.team is None:
        return
    try:
        turn.following = await _following(turn, turn.team, status)
    except Exception:
        log.exception("a team could not go on")
        turn.following = Following("", turn.team, "the next speaker could not be found")


def interrupted(turn: RunningTurn) -> Following | None:
    """What follows a turn whose worker is being stopped."""
    return teaming.once_more(turn.claim.assistant, turn.team) if turn.team else None


async def _following(turn: RunningTurn, team: dict[str, Any], status: str) -> Following:
    config = await in_thread(members.config_of, team["name"])
    if config is None:
        return Following("", team, "the team is not there any more")
    turns, spent = await _so_far(turn, team, status, config)
    chosen = speaking.next_speaker(config, turns, spent)
    if chosen.asks:
        answer, usage = await _asked(turn, config)
        turn.usage = added(turn.usage, usage)
        chosen = speaking.next_speaker(config, turns, spent, answer)
    if chosen.name and not turns:
        turn.say_at_last(f"@{chosen.name}")
    return _next(turn, team, chosen, opening=not turns)


def _next(turn: RunningTurn, team: dict[str, Any], chosen: Next, *, opening: bool) -> Following:
    """Who spoke is answered next; where nothing was said, what they were to answer is."""
    silent = opening or not turn.text.strip()
    return Following(chosen.name, team, chosen.why, None if silent else turn.claim.message)


async def _so_far(turn: RunningTurn, team: dict[str, Any], status: str, config: TeamConfig) -> tuple[list[Said], Spent]:
    """The turns of a team with the one that ends now, and what they took."""
    before = await _patiently(teaming.runs_before, turn.claim.conversation, team, turn.claim.run)
    turns = teaming.spoken(before)
    if team["turn"]:
        wish = turn.hand_to or speaking.wish_of(turn.text, config.members)
        turns.append(Said(turn.claim.assistant, status == Run.Status.FAILED, turn.text, wish))
    used = added(turn.spent, *(run.usage for run in before)) or {}
    tokens = used.get("input_tokens", 0) + used.get("output_tokens", 0)
    return turns, Spent(len(turns), tokens, _seconds(before))


def _seconds(before: Sequence[Run]) -> float:
    return max(((clock.now() - run.queued_at).total_seconds() for run in before), default=0.0)


async def _patiently(read: Any, *arguments: Any) -> Any:
    """Read although the database is away for a moment."""
    async for attempt in stamina.retry_context(on=is_away, attempts=None, timeout=settings.LEASE_SECONDS):
        with attempt:
            return await in_thread(read, *arguments)
    raise AssertionError("the last attempt raises")


async def _asked(turn: RunningTurn, config: TeamConfig) -> tuple[str, Usage | None]:
    """What the coordinator says, and what that used. It is shown what was said so far."""
    shown = await _patiently(_transcript, turn.claim, config)
    text = "\n\n".join(filter(None, [shown, f"{turn.claim.assistant}: {turn.text}" if turn.text else ""]))
    among = [*config.members, speaking.DONE] if turn.text else config.members
    around = Reporting(turn, About(text))
    aside = await asking.opinion_of(around, config.coordinator, text, among, seconds=config.seconds)
    return aside.text, taken(aside)


def _transcript(claim: Claim, config: TeamConfig) -> str:
    wanted = terms.for_assistant(config.coordinator).as_speaker(config.coordinator)
    try:
        made = building.build(claim.conversation, wanted, claim.reply_to)
    except building.QuestionGone:
        return ""
    said = [line.text for line in made.lines if line.role in ("user", "assistant", "agent")]
    return "\n\n".join(said[-SHOWN:])


class Reporting(Nowhere):
    """Around who is asked to name the next speaker: no step, no text, but the room is told of failures."""

    def __init__(self, turn: RunningTurn, about: About) -> None:
        super().__init__(about)
        self._turn = turn

    async def degraded(self, plugin: str, reason: str) -> None:
        await self._turn.degraded(plugin, reason)
