"""Which function applies which type of event."""

from collections.abc import Callable
from uuid import UUID

from chatproject.lib.database import is_passing
from conversations.event_types import is_erased
from conversations.models import Conversation, Event
from conversations.projections.projector import Projector

Handler = Callable[[Projector, Conversation, Event], None]
HANDLERS: dict[str, Handler] = {}


class CannotApply(Exception):
    """The rows are not such that the event could be applied: something is wrong with them, or with it."""

    def __init__(self, conversation: UUID, type_: str) -> None:
        super().__init__(f"{conversation}: {type_}")
        self.conversation = conversation


def on(type_: str) -> Callable[[Handler], Handler]:
    """Register the handler of one event type."""

    def register(handler: Handler) -> Handler:
        HANDLERS[type_] = handler
        return handler

    return register


def apply(projector: Projector, conversation: Conversation, event: Event) -> None:
    """Bring the rows up to `event`, of which `conversation` is the locked row. An erased event changes none but
    the counters: services/erasing.py empties the others.

    Raises CannotApply where the handler raises, but where the database cannot do it now. A mark of the privacy screen
    counts for the message whose text the event brings, else by itself.
    """
    if is_erased(event.data):
        conversation.uncount()
        return
    conversation.sensitive += "text" not in event.data and bool(event.data.get("sensitive"))
    try:
        HANDLERS[event.type](projector, conversation, event)
    except Exception as error:
        if is_passing(error):
            raise
        raise CannotApply(conversation.id, event.type) from error
