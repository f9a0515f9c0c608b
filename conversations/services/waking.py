"""Effects that wake a worker for a conversation."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from conversations import queue
from conversations.appends import State


def enqueue(conversation: UUID) -> Callable[[], None]:
    """The effect that wakes a worker."""
    return partial(queue.enqueue_turn, conversation)


def waking(state: State) -> list[Callable[[], None]]:
    """The effects of a newly queued run: whoever answers now takes the next one when it is done."""
    return [] if state.conversation.active_run else [enqueue(state.conversation.id)]
