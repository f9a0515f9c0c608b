"""Telling a room that a part of an answer is missing, because one of those who were asked failed or was late."""

from typing import Any

from conversations.publishing import publish
from conversations.services.runs import Claim


def degraded(claim: Claim, plugin: str, reason: str) -> None:
    """Show `plugin:degraded` to the room of a run: `plugin` is an assistant's or a connector's name, `reason` a code or
    a few words for people. It is no event of the log; the steps of the run keep what happened."""
    frame: dict[str, Any] = {
        "type": "plugin:degraded",
        "conversation": str(claim.conversation),
        "run": str(claim.run),
        "plugin": plugin,
        "reason": reason,
    }
    publish({claim.conversation: [frame]})
