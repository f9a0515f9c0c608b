"""Jobs: thin, their arguments are ids, their logic lives elsewhere."""

from uuid import UUID

from procrastinate.contrib.django import app

from conversations import queue
from conversations.assistants import runner


@app.task(name=queue.TAKE_TURN, queue=queue.TURNS)
async def take_turn(conversation: str) -> None:
    await runner.take_turn(UUID(conversation))
