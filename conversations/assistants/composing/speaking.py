"""Who of a team speaks next, and why. Pure; what a coordinator says is asked for by whoever calls (teams.py)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from conversations.assistants.composing.routing import opinion, said

DONE, CONTINUE = "done", "continue"
# The last line of what somebody says: whom they hand over to, or `[done]`, or `[continue]`.
HAND_OVER = re.compile(r"\W*@(\w+(?:[.-]\w+)*)\W*")
WORD = re.compile(r"\W*\[(done|continue)\]\W*", re.IGNORECASE)


class SpeakerRule(Struct, frozen=True, forbid_unknown_fields=True):
    """`to` speaks next (or `done`: nobody does) where the last one was `after`, and said one of `keywords`."""

    to: str
    after: str = ""
    keywords: tuple[str, ...] = ()


class TeamConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`next` says how the next speaker is found: in turn, by the first of `rules` that holds (else in turn), or by the
    assistant `coordinator`. A limit of 0 is none; `max_turns` there always is."""

    members: tuple[str, ...]
    next: Literal["round", "rule", "coordinator"] = "round"
    rules: tuple[SpeakerRule, ...] = ()
    coordinator: str = ""
    max_turns: int = 8
    max_tokens: int = 0
    max_seconds: float = 300
    seconds: float = 10


@dataclass(frozen=True)
class Said:
    """One turn of a team: who spoke, what was said last of all in it, and the `wish` of who spoke: a member's name,
    `done`, `continue`, or nothing."""

    speaker: str
    failed: bool = False
    text: str = ""
    wish: str = ""


@dataclass(frozen=True)
class Spent:
    """What a team has used so far."""

    turns: int
    tokens: int = 0
    seconds: float = 0


@dataclass(frozen=True)
class Next:
    """Who speaks next; empty where nobody does, or where the coordinator `asks` to be asked first."""

    name: str
    why: str
    asks: bool = False


def next_speaker(config: TeamConfig, turns: Sequence[Said], spent: Spent, answer: str | None = None) -> Next:
    """Who speaks after these turns, the last of which has just ended; `answer` is what the coordinator said."""
    last = turns[-1] if turns else None
    if last and last.wish == DONE:
        return Next("", f"{last.speaker} is done")
    if over := limit(config, spent):
        return Next("", over)
    if turns and _all_failed(config, turns):
        return Next("", "nobody could answer")
    if last and last.wish == CONTINUE and last.speaker in config.members:
        return Next(last.speaker, f"{last.speaker} goes on")
    if last and last.wish in config.members:
        return Next(last.wish, f"{last.speaker} hands over")
    return CHOOSERS[config.next](config, last, answer)


def limit(config: TeamConfig, spent: Spent) -> str:
    """Which limit is reached, in words; empty where none is."""
    if spent.turns >= config.max_turns:
        return f"the limit of {config.max_turns} turns is reached"
    if 0 < config.max_tokens <= spent.tokens:
        return f"the limit of {config.max_tokens} tokens is reached"
    if 0 < config.max_seconds <= spent.seconds:
        return f"the limit of {config.max_seconds:g} seconds is reached"
    return ""


def wish_of(text: str, members: Sequence[str]) -> str:
    """What the last line of a text wishes, where it is that and nothing else."""
    line = text.rstrip().rpartition("\n")[2]
    if word := WORD.fullmatch(line):
        return word[1].lower()
    if named := HAND_OVER.fullmatch(line):
        return next((name for name in members if name.casefold() == named[1].casefold()), "")
    return ""


def _all_failed(config: TeamConfig, turns: Sequence[Said]) -> bool:
    """Whether as many turns in a row failed as there are members."""
    latest = turns[-len(config.members) :]
    return len(latest) == len(config.members) and all(turn.failed for turn in latest)


def _in_turn(config: TeamConfig, last: Said | None, answer: str | None = None) -> Next:
    place = config.members.index(last.speaker) + 1 if last and last.speaker in config.members else 0
    return Next(config.members[place % len(config.members)], "in turn")


def _by_rule(config: TeamConfig, last: Said | None, answer: str | None = None) -> Next:
    for rule in config.rules:
        spoke = not rule.after or bool(last and last.speaker == rule.after)
        told = not rule.keywords or bool(last and any(said(word, last.text) for word in rule.keywords))
        if spoke and told:
            return Next("" if rule.to == DONE else rule.to, "by rule")
    return _in_turn(config, last)


def _by_coordinator(config: TeamConfig, last: Said | None, answer: str | None = None) -> Next:
    if answer is None:
        return Next("", f"{config.coordinator} is asked", asks=True)
    chosen = opinion(answer, [*config.members, DONE])
    if chosen == DONE and last:
        return Next("", f"{config.coordinator}: done")
    if chosen and chosen != DONE:
        return Next(chosen, f"{config.coordinator} chose")
    following = _in_turn(config, last)
    return Next(following.name, f"in turn, because {config.coordinator} named nobody")


CHOOSERS = {"round": _in_turn, "rule": _by_rule, "coordinator": _by_coordinator}
