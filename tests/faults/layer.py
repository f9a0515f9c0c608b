"""A channel layer on which hints cannot be relied: some are lost, doubled, or overtaken by later ones."""

import os
from collections.abc import Mapping
from random import Random
from typing import Any
from uuid import UUID

from realtime.groups import RoomLayer

LOST, DOUBLED, OVERTAKEN = 0.10, 0.05, 0.20


class UnreliableLayer(RoomLayer):
    """LOSE_HINTS is the seed."""

    _chance = Random(os.environ.get("LOSE_HINTS"))
    # What is sent after the next message of its conversation; where none comes it is as good as lost.
    _late: dict[UUID, dict[str, Any]] = {}

    async def send_groups(self, messages: Mapping[UUID, dict[str, Any]]) -> None:
        for conversation, message in messages.items():
            for sent in self._what_becomes_of(conversation, message):
                await super().send_groups({conversation: sent})

    def _what_becomes_of(self, conversation: UUID, message: dict[str, Any]) -> list[dict[str, Any]]:
        late = self._late.pop(conversation, None)
        fate = self._chance.random()
        if fate < LOST:
            sent = []
        elif fate < LOST + DOUBLED:
            sent = [message, message]
        elif fate < LOST + DOUBLED + OVERTAKEN:
            self._late[conversation], sent = message, []
        else:
            sent = [message]
        return [*sent, late] if late else sent
