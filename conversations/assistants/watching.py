"""Answers that only watch: of actions whose work is done elsewhere, and whose run shows how far it is.

No worker waits: the run gives its lease back and is taken up again (RunningTurn.rest), by whichever process is alive.
"""

from collections.abc import Callable, Mapping
from typing import Any

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import wire
from conversations.assistants.base import AssistantError, Turn
from conversations.assistants.turn import RunningTurn
from conversations.models import Message, Run
from conversations.services.runs import Claim

# How far something is: `over`, a `mark` that changes when it is worth telling, what the step shows, the last words.
Progress = Mapping[str, Any]


async def watch(turn: Turn, name: str, look: Callable[[Claim], Progress]) -> None:
    """Show what `look` tells as the step `name` until it is over, then say its `text`. Raises AssistantError for what
    it refuses."""
    assert isinstance(turn, RunningTurn)
    try:
        found = await in_thread(look, turn.claim)
    except Problem as problem:
        raise AssistantError(problem.code.name, words(problem)) from problem
    if not found["over"] and not found["news"]:
        await turn.rest()
    async with turn.step("plugin", name, found["shown"]) as step:
        if not found["over"]:
            await turn.rest()
        step.output = found["shown"]
    await turn.emit(found["text"])


def asker(claim: Claim) -> User:
    """Who asked for a run. Raises AssistantError where that is nobody of ours."""
    asked_by = Run.objects.filter(id=claim.run).values("requested_by")
    user = User.objects.filter(id__in=asked_by, is_active=True).first()
    if user is None:
        raise AssistantError("forbidden", "Only users of this service can ask for this.")
    return user


def question(claim: Claim) -> tuple[Message, str]:
    """The message that is answered, and its text."""
    row = Message.objects.select_related("conversation").get(id=claim.reply_to)
    return row, wire.message_text(row)


def words(problem: Problem) -> str:
    """What was wrong, in one line."""
    sentences = [sentence for found in (problem.errors or {}).values() for sentence in found]
    return " ".join(sentences) or str(problem.detail)
