"""What an event of a file looks like, and what its data must have: the form in which everything is imported."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from msgspec import UNSET, Meta, Struct, UnsetType

from chatproject.lib.jsonvalues import depth, is_storable
from conversations.event_types import EVENT_TYPES
from conversations.handing import ASSISTANT, HUMAN
from conversations.models import Conversation
from conversations.services.validation import clean_metadata, clean_tags

# Metadata and steps are a few levels deeper here than on their own.
MAX_DEPTH = 30
UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
Id = Annotated[str, Meta(pattern=f"^{UUID_PATTERN}$")]
Seq = Annotated[int, Meta(ge=0, le=2**62)]
Name = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=max(settings.MESSAGE_MAX_LENGTH, settings.ANSWER_MAX_LENGTH))]
Title = Annotated[str, Meta(max_length=settings.TITLE_MAX_LENGTH)]
# Those of people are set by handoffs alone.
Status = Annotated[str, Meta(pattern=f"^({'|'.join(set(Conversation.Status.values) - set(Conversation.HUMAN))})$")]


class Author(Struct):
    kind: Literal["user", "assistant", "agent", "system"]
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(max_length=150)]


class Line(Struct):
    """One event of a file, in the public form (docs/events.md)."""

    type: str
    seq: Seq
    id: Id
    actor: Author
    at: Annotated[datetime, Meta(tz=True)]
    data: dict[str, Any]
    conversation: Id
    cmid: Annotated[str, Meta(max_length=128)] | None = None


class _ConversationNew(Struct):
    title: Title | None
    assistant: Name | None
    metadata: dict[str, Any]


class _ConversationUpdate(Struct):
    title: Title | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    assistant: Name | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class _Handoff(Struct):
    to: Annotated[str, Meta(pattern=f"^({HUMAN}|{ASSISTANT}|{UUID_PATTERN})$")]
    reason: Text | None = None
    name: Annotated[str, Meta(max_length=150)] | None = None


class _Member(Struct):
    user: Id
    role: Name


class _Part(Struct):
    type: Literal["file"]
    id: Id


class _Team(Struct):
    name: Name
    id: Id
    began: Seq
    turn: Seq
    tries: Seq
    by: Id | None = None
    next: Name | None = None


class _Custom(Struct):
    type: Name
    value: Any


class _MessageNew(Struct):
    message: Id
    text: Text
    reply_to: Id | None = None
    seen_seq: Seq | None = None
    run: Id | None = None
    assistant: Name | None = None
    parts: list[_Part] = []
    custom: list[_Custom] = []
    team: _Team | None = None
    extra: dict[str, Any] = {}


class _MessageEdit(Struct):
    message: Id
    text: Text
    base_seq: Seq | None = None


class _Message(Struct):
    message: Id


class _Pin(_Message):
    on: bool


class _Feedback(_Message):
    rating: Literal["up", "down"] | None
    solved: bool
    copied: bool
    comment: Text | None


class _Restore(Struct):
    to_seq: Seq


class _Select(_Message):
    branch_of: Id


class _RunQueue(Struct):
    run: Id
    reply_to: Id
    reply_seq: Seq
    assistant: Name
    branch_of: Id | None = None
    team: _Team | None = None


class _RunStart(Struct):
    run: Id
    reply_to: Id
    assistant: Name
    message: Id
    branch_of: Id | None = None
    version: Name | None = None


class _RunStep(Struct):
    run: Id
    step: Name
    status: Name
    kind: Name
    name: str


class _RunAsk(Struct):
    run: Id
    step: Name
    kind: Literal["approval", "choice", "form", "text"]
    schema: dict[str, Any]


class _RunAnswer(Struct):
    run: Id
    step: Name
    value: Any


class _RunEnd(Struct):
    run: Id
    message: Id | None
    status: Literal["completed", "stopped", "failed", "interrupted"]
    text: Text = ""
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    sources: list[Any] | None = None
    team: _Team | None = None
    parts: list[_Part] = []


# What the handlers of projections/ rely on. Further fields are kept as they are.
SHAPES: dict[str, type[Struct]] = {
    "conversation:new": _ConversationNew,
    "conversation:update": _ConversationUpdate,
    "conversation:restore": _Restore,
    "conversation:handoff": _Handoff,
    "member:add": _Member,
    "member:update": _Member,
    "member:remove": _Member,
    "message:new": _MessageNew,
    "message:edit": _MessageEdit,
    "message:delete": _Message,
    "message:pin": _Pin,
    "branch:select": _Select,
    "message:feedback": _Feedback,
    "run:queue": _RunQueue,
    "run:start": _RunStart,
    "run:step": _RunStep,
    "run:ask": _RunAsk,
    "run:answer": _RunAnswer,
    "run:end": _RunEnd,
}


def read(raw: bytes) -> Line:
    """The event of one line. Raises ValueError with what is wrong."""
    try:
        return checked(msgspec.json.decode(raw, type=Line))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("this is not JSON in UTF-8, or nested too deeply") from error


def converted(value: Any) -> Line:
    """The event that a decoded document holds. Raises ValueError."""
    return checked(msgspec.convert(value, type=Line))


def checked(line: Line) -> Line:
    """`line`, its data being what its type promises. Raises ValueError, or Problem for metadata and tags."""
    if line.type not in SHAPES:
        raise ValueError(f"the type {line.type[:64]!r} is not known here")
    data = line.data
    if depth(data) > MAX_DEPTH:
        raise ValueError(f"there are more than {MAX_DEPTH} levels of nesting")
    secret = EVENT_TYPES[line.type].secret
    plain = [line.cmid or "", line.actor.id, line.actor.name, {n: v for n, v in data.items() if n not in secret}]
    if not is_storable(plain):
        raise ValueError("there is a NUL or a lone surrogate in a text, or a number beyond 2^63")
    msgspec.convert(data, type=SHAPES[line.type])
    if line.type in ("message:new", "message:edit") and "\0" in data["text"]:
        raise ValueError("there is a NUL in the text")
    if "metadata" in data:
        clean_metadata(data["metadata"])
    if "tags" in data:
        clean_tags(data["tags"])
    return line
