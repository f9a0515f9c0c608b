"""Frames of the WebSocket (PROTOCOL.md section 4): one definition validates, decodes and documents them."""

from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import MAX_DEPTH, MAX_KEYS, is_bounded

Seq = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Id = Annotated[str, msgspec.Meta(max_length=64)]
# A number that every client can hold exactly.
Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Ref = Annotated[str, msgspec.Meta(max_length=128)] | Number
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Secret = Annotated[str, msgspec.Meta(max_length=8192)]

VERSION: Literal[1] = 1
MAX_ERRORS = 5


class Close:
    """Close codes; those from 4500 on are final for the whole session."""

    DRAIN = 4001
    HEARTBEAT = 4002
    SLOW = 4003
    TOKEN_EXPIRED = 4004
    INSUFFICIENT_STATE = 4005
    RATE_LIMITED = 4029
    BAD_FRAME = 4500
    NOT_AUTHENTICATED = 4501
    FORBIDDEN = 4503
    TOO_MANY_ERRORS = 4509
    TOO_BIG = 1009


class ResumePoint(msgspec.Struct):
    """What a client holds of one conversation; `runs` maps a running answer to its length."""

    conversation: Id
    seq: Seq
    epoch: Id | None = None
    runs: dict[Id, Seq] = {}


class Hello(msgspec.Struct, tag="hello"):
    """The first frame."""

    v: Number
    client_id: Name
    token: Secret | None = None
    ticket: Secret | None = None
    session: Id | None = None
    resume: list[ResumePoint] = []


class Join(msgspec.Struct, tag="join"):
    """Open a conversation: after a cursor, since a time, or from the newest page."""

    ref: Ref
    conversation: Id
    epoch: Id | None = None
    seq: Seq | None = None
    since: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Leave(msgspec.Struct, tag="leave"):
    """Close a conversation."""

    conversation: Id
    ref: Ref | None = None


class Part(msgspec.Struct):
    """A file that was uploaded into the conversation, or the value of a type of one's own."""

    type: Name
    id: Id | None = None
    value: Any = None


class Send(msgspec.Struct, tag="send"):
    """Say something."""

    ref: Ref
    conversation: Id
    cmid: Name
    text: str
    action: Name | None = None
    assistant: Name | None = None
    reply_to: Id | None = None
    on_busy: Name | None = None
    seen_seq: Seq | None = None
    parts: list[Part] | None = None


class Stop(msgspec.Struct, tag="stop"):
    """End a run."""

    ref: Ref
    run: Id


class Fetch(msgspec.Struct, tag="fetch"):
    """A page of the log."""

    ref: Ref
    conversation: Id
    after_seq: Seq
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 200


class Attach(msgspec.Struct, tag="attach"):
    """The rest of a running answer."""

    ref: Ref
    run: Id
    offset: Seq


class Typing(msgspec.Struct, tag="typing"):
    """Somebody types, or has stopped."""

    conversation: Id
    on: bool


class WallClock(msgspec.Struct):
    """`vector` counts the writes of each client that this one has seen; `wall` is in milliseconds since 1970."""

    vector: Annotated[dict[Name, Seq], msgspec.Meta(max_length=64)]
    wall: Seq


class SetState(msgspec.Struct, tag="state"):
    """Write a register of the room's shared state."""

    conversation: Id
    key: Name
    value: Any
    clock: WallClock
    ref: Ref | None = None


class Read(msgspec.Struct, tag="read"):
    """This user has seen everything up to `seq`."""

    conversation: Id
    seq: Seq


class Auth(msgspec.Struct, tag="auth"):
    """Another token of the same user, before the one that is known expires."""

    token: Secret
    ref: Ref | None = None


class Ack(msgspec.Struct, tag="ack"):
    """How many WebSocket messages have come in."""

    n: Seq


class Pong(msgspec.Struct, tag="pong"):
    """Answers a heartbeat."""

    n: Seq


ClientFrame = Hello | Join | Leave | Send | Stop | Fetch | Attach | Typing | SetState | Read | Auth | Ack | Pong


class _Referring(msgspec.Struct):
    """What is needed of a frame that cannot be understood, to answer it."""

    ref: Ref | None = None


_referring = msgspec.json.Decoder(_Referring)
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ClientFrame | list[ClientFrame])
_encoder = msgspec.json.Encoder(enc_hook=str, order="deterministic")


def decode(text: str) -> list[ClientFrame]:
    """The frames of one message. Raises Problem `invalid` or `too_large`."""
    most = settings.FRAME_MAX_BYTES
    if len(text) > most or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > most):
        raise Problem("too_large", f"A frame has at most {settings.FRAME_MAX_BYTES} bytes.")
    try:
        found = _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise Problem("invalid", f"Bad frame: {error}") from error
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Problem("invalid", "A frame must be a JSON object, or an array of them.") from error
    if _may_be_unbounded(text) and not is_bounded(msgspec.json.decode(text)):
        raise Problem("invalid", f"A frame has at most {MAX_DEPTH} levels, and {MAX_KEYS} keys in an object.")
    return found if isinstance(found, list) else [found]


def _may_be_unbounded(text: str) -> bool:
    """Whether it is worth a look at the whole; for a usual frame it is not."""
    return text.count("{") + text.count("[") > MAX_DEPTH or text.count(":") > MAX_KEYS


def ref_of(text: str) -> Any:
    """The `ref` of a single frame that `decode` refused, where it has one."""
    try:
        return _referring.decode(text).ref
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def encode(frame: dict[str, Any]) -> str:
    """One frame as text."""
    return _encoder.encode(frame).decode()


def error_frame(problem: Problem, ref: Any = None) -> dict[str, Any]:
    """`error {ref?, code, message, retryable, retry_after_ms?}` and the problem's further members."""
    frame: dict[str, Any] = {
        "type": "error",
        "code": problem.code.name,
        "message": _message(problem),
        "retryable": problem.code.retryable,
        **problem.extra,
    }
    if ref is not None:
        frame["ref"] = ref
    if problem.retry_after_ms is not None:
        frame["retry_after_ms"] = problem.retry_after_ms
    return frame


def _message(problem: Problem) -> str:
    if not problem.errors:
        return problem.detail
    return " ".join(f"{field}: {' '.join(texts)}" for field, texts in problem.errors.items())
