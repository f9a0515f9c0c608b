"""What a fold holds, and the JSON that it is made from and gives.

    format          number of this layout; states of another one are of no use
    window          how many messages are kept (null: all of them, and ended runs)
    seq             everything up to and including it was applied
    conversation    the attributes of the Conversation row that come from the log; `title` is an envelope
    members         user id -> {role, since}
    messages        the newest `window` messages, in order, each with all columns of its row; `text` is an envelope
    messages_count  how many there are in all
    runs            those that have not ended, in order, with all columns that come from the log
    feedback        the last feedback of each user on each message, with all columns; `comment` is an envelope
    anchors         run id -> seq of the message that it answers, of runs that have not begun
    sensitive       message id -> [[seq, marked]]: for counting, of messages with a marked text

Ids are strings, times RFC 3339 with milliseconds.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from conversations.event_types import is_erased
from conversations.models import Event

Json = dict[str, Any]
# Events by their numbers, for what a restore brings back.
Read = Callable[[Iterable[int]], Mapping[int, Event]]
Handler = Callable[["Fold", Event], None]

FORMAT = 3
FOLDS: dict[str, Handler] = {}


class Gap(Exception):
    """The event does not follow what was applied before."""


def on(*types: str) -> Callable[[Handler], Handler]:
    """Register the handler of event types."""

    def register(handler: Handler) -> Handler:
        FOLDS.update(dict.fromkeys(types, handler))
        return handler

    return register


class Fold:
    """A state to which events are applied. `read` finds events of before by number."""

    def __init__(self, state: Json | None, *, window: int | None, read: Read) -> None:
        given = json.loads(json.dumps(state or _empty(window)))
        self.window = window
        self.read = read
        self.seq: int = given["seq"]
        self.conversation: Json = given["conversation"]
        self.members: dict[str, Json] = given["members"]
        self.messages: dict[str, Json] = {row["id"]: row for row in given["messages"]}
        self.messages_count: int = given["messages_count"]
        self.runs: dict[str, Json] = {row["id"]: row for row in given["runs"]}
        self.feedback: dict[tuple[str, str], Json] = {(row["message"], row["user"]): row for row in given["feedback"]}
        self.branches: dict[str, list[str]] = {}
        for row in self.messages.values():
            self._note_branch(row)
        self.anchors: dict[str, int] = given["anchors"]
        self.sensitive: dict[str, list[list[Any]]] = given["sensitive"]

    def apply(self, event: Event) -> None:
        """Bring the state up to `event`. Raises Gap, and whatever a damaged event leads to."""
        if event.seq != self.seq + 1:
            raise Gap(f"event {event.seq} follows {self.seq}")
        if not is_erased(event.data):
            self._apply(event)
        self.seq = event.seq

    def _apply(self, event: Event) -> None:
        if "text" not in event.data and event.data.get("sensitive"):
            self.conversation["sensitive"] = self.conversation.get("sensitive", 0) + 1
        FOLDS[event.type](self, event)

    def add_message(self, row: Json) -> None:
        """A new message; the oldest one leaves the window for good."""
        self.messages[row["id"]] = row
        self.messages_count += 1
        self._note_branch(row)
        if self.window is not None and len(self.messages) > self.window:
            del self.messages[next(iter(self.messages))]

    def _note_branch(self, row: Json) -> None:
        """Alternatives are found by the first one of their group."""
        if row["branch_of"]:
            self.branches.setdefault(row["branch_of"], []).append(row["id"])

    def add_run(self, row: Json, anchor: int) -> None:
        """A queued run, and the place of the message that it answers."""
        self.runs[row["id"]] = row
        self.anchors[row["id"]] = anchor

    def drop_run(self, run: str) -> None:
        """An ended run is kept only where everything is."""
        self.anchors.pop(run, None)
        if self.window is not None:
            self.runs.pop(run, None)

    def state(self) -> Json:
        """The state as JSON, which later events of this fold do not change."""
        state = {
            "format": FORMAT,
            "window": self.window,
            "seq": self.seq,
            "conversation": self.conversation,
            "members": self.members,
            "messages": list(self.messages.values()),
            "messages_count": self.messages_count,
            "runs": list(self.runs.values()),
            "feedback": list(self.feedback.values()),
            "anchors": self.anchors,
            "sensitive": self.sensitive,
        }
        copy: Json = json.loads(json.dumps(state))
        return copy


def _empty(window: int | None) -> Json:
    lists: Json = {name: [] for name in ("messages", "runs", "feedback")}
    maps: Json = {name: {} for name in ("conversation", "members", "anchors", "sensitive")}
    return {"format": FORMAT, "window": window, "seq": 0, "messages_count": 0, **lists, **maps}


def is_usable(state: Any, window: int) -> bool:
    """Whether a fold of this version can go on from a stored state."""
    return isinstance(state, dict) and state.get("format") == FORMAT and state.get("window") == window
