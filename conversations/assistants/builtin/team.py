"""The kind `team`: several assistants who speak in turns, each in a run and a message of its own (teams.py)."""

from collections.abc import Collection
from typing import ClassVar

from msgspec import Struct

from conversations.assistants.base import Turn
from conversations.assistants.composing.speaking import DONE, TeamConfig


class Team:
    """Has several assistants speak in turns, until they are done."""

    Config: ClassVar[type[Struct]] = TeamConfig

    def __init__(self, config: TeamConfig) -> None:
        self.config = config

    @staticmethod
    def asks(config: TeamConfig) -> Collection[str]:
        """Whom it may ask."""
        named = [*config.members, config.coordinator, *(rule.to for rule in config.rules if rule.to != DONE)]
        return {name for name in named if name}

    @staticmethod
    def wrong(config: TeamConfig) -> list[str]:
        """What is wrong with it, in sentences."""
        found = []
        if not 2 <= len(set(config.members)) == len(config.members) <= 10:
            found.append("A team has from 2 to 10 different members.")
        if (config.next == "coordinator") != bool(config.coordinator):
            found.append("`coordinator` is who names the next speaker, with `next` = `coordinator` and only then.")
        if (config.next == "rule") != bool(config.rules):
            found.append("`rules` are for `next` = `rule`, which has some.")
        outside = {rule.to for rule in config.rules} | {rule.after for rule in config.rules if rule.after}
        if outside - {*config.members, DONE}:
            found.append("Rules name members of the team, or `done`.")
        if not 1 <= config.max_turns <= 100 or config.max_tokens < 0 or config.max_seconds < 0:
            found.append("`max_turns` is from 1 to 100; other limits are not below 0.")
        return found

    async def answer(self, turn: Turn) -> None:
        """Open the team: its first speaker is asked when this turn has ended. Raises AssistantError where this turn
        is a part of another one."""
        turn.open_team(turn.path[-1])
