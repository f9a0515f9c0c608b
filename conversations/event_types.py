"""The types of the log (PROTOCOL.md section 4): what each means and which of its fields are secret.

docs/events.md lists them; a test compares.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chatproject.lib.crypto import CryptoError, DataKey, is_sealed


@dataclass(frozen=True)
class EventType:
    """`secret` names the fields of `data` that are stored as envelopes."""

    name: str
    meaning: str
    secret: tuple[str, ...] = ()


EVENT_TYPES: dict[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType("conversation:new", "A conversation came into being.", ("title",)),
        EventType("conversation:update", "Title, status, tags, assistant or metadata changed.", ("title",)),
        EventType("conversation:restore", "Messages became what they were at an earlier `to_seq`."),
        EventType("conversation:handoff", "A person is to answer, answers, or no longer does.", ("reason",)),
        EventType("member:add", "A user became a member."),
        EventType("member:update", "A member's role changed."),
        EventType("member:remove", "A user is no longer a member."),
        EventType("message:new", "A person said something; `run` where an answer was queued.", ("text", "custom")),
        EventType("message:edit", "A message got another text; the old one stays in the log.", ("text",)),
        EventType("message:delete", "A message is no longer shown, nor part of what assistants are sent."),
        EventType("message:pin", "A message was pinned, so that it stays in every context, or released."),
        EventType("branch:select", "One of several alternative answers was chosen."),
        EventType("message:feedback", "What somebody thinks of a message now.", ("comment",)),
        EventType("run:queue", "An answer is asked for once more, beside those that are there."),
        EventType("run:start", "A worker claimed a run; its message begins."),
        EventType("run:step", "What an assistant does while it answers.", ("input", "output", "sources")),
        EventType("run:ask", "A run asks a person, and waits.", ("schema",)),
        EventType("run:answer", "A person answered what a run asked; it goes on.", ("value",)),
        EventType("run:end", "A run ended; `text` is the whole answer.", ("text", "error", "sources")),
    )
}


# Whose `text` assistants are sent later.
SAID = ("message:new", "message:edit", "run:end")


def sendable_texts(type_: str, data: dict[str, Any]) -> list[str]:
    """The texts of `data`, in clear, that assistants may be sent later: what was said, and what tools were asked
    and gave."""
    if type_ in SAID:
        return [data["text"]] if data.get("text") is not None else []
    if type_ == "run:step" and data.get("kind") == "tool":
        return [as_text(data[name]) for name in ("input", "output") if data.get(name) is not None]
    return []


def as_text(value: Any) -> str:
    """What went into a tool or came out of it, as a model is told it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# What stands in place of the data of an erased event (PROTOCOL.md section 3). As data of a new
# `conversation:update` it is the erasure itself.
ERASED: dict[str, Any] = {"erased": True}


def is_erased(data: dict[str, Any]) -> bool:
    return data == ERASED


def context(conversation: UUID, event: UUID, field: str) -> str:
    """The associated data that binds an envelope to its place."""
    return f"{conversation.hex}|{event.hex}|{field}"


def seal(type_: str, data: dict[str, Any], key: DataKey, conversation: UUID, event: UUID) -> dict[str, Any]:
    """`data` with an envelope in place of every secret value that is there."""
    secret = EVENT_TYPES[type_].secret
    return {
        field: key.seal(value, context(conversation, event, field)) if field in secret and value is not None else value
        for field, value in data.items()
    }


def unseal(type_: str, data: dict[str, Any], key: DataKey, conversation: UUID, event: UUID) -> dict[str, Any]:
    """The inverse of `seal`. Raises CryptoError where an envelope was moved or changed.

    Only secret fields are opened: what looks like an envelope elsewhere came from a client. Of a type that only a
    later release knows (during a rolling deployment), whatever can be opened.
    """
    if type_ not in EVENT_TYPES:
        return {field: _opened(value, key, context(conversation, event, field)) for field, value in data.items()}
    secret = EVENT_TYPES[type_].secret
    return {
        field: key.open(value, context(conversation, event, field)) if field in secret and is_sealed(value) else value
        for field, value in data.items()
    }


def _opened(value: Any, key: DataKey, place: str) -> Any:
    try:
        return key.open(value, place) if is_sealed(value) else value
    except CryptoError:
        return value
