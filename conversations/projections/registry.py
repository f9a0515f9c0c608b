"""Which function applies which type of event."""

from collections.abc import Callable

from conversations.event_types import is_erased
from conversations.models import Conversation, Event
from conversations.projections.projector import Projector

Handler = Callable[[Projector, Conversation, Event], None]
HANDLERS: dict[str, Handler] = {}


def on(type_: str) -> Callable[[Handler], Handler]:
    """Register the handler of one event type."""

    def register(handler: Handler) -> Handler:
        HANDLERS[type_] = handler
        return handler

    return register


def apply(projector: Projector, conversation: Conversation, event: Event) -> None:
    """Bring the rows up to `event`, of which `conversation` is the locked row. An erased event changes none but
    the counters: services/erasing.py empties the others.

    A mark of the privacy screen counts for the message whose text the event brings, else by itself.
    """
    if is_erased(event.data):
        conversation.uncount()
        return
    conversation.sensitive += "text" not in event.data and bool(event.data.get("sensitive"))
    HANDLERS[event.type](projector, conversation, event)
