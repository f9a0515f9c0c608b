"""Enqueueing jobs by name, in the transaction of whoever asks. The jobs themselves are in jobs.py."""

from uuid import UUID

from procrastinate.contrib.django import app

TAKE_TURN = "conversations.take_turn"
TURNS = "turns"


def enqueue_turn(conversation: UUID) -> None:
    """Have a worker claim the oldest queued run of this conversation. Doing so twice is harmless."""
    app.configure_task(TAKE_TURN, queue=TURNS, allow_unknown=True).defer(conversation=str(conversation))
