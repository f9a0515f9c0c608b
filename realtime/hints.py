"""What travels through Redis: the frames of one room, encrypted, so that Redis never holds content.

Carrying the events spares every process a read of the log; a hint that cannot be read is as good as lost
(docs/decisions/0004-hints.md).
"""

import os
import time
from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatproject.lib import crypto
from conversations.keys import keyring

PURPOSE = "realtime.hints"
# Whose hints these are: this process has told its own rooms already.
PROCESS = os.urandom(8)
# Between these two events of a run its deltas are sent.
ENDS = ("run:start", "run:end")


class Item(msgspec.Struct, array_like=True, frozen=True):
    """One frame as it goes to sockets. `seq` is 0 where it is not in the log; a delta has its place instead.
    `run` is set for deltas, `run:start` and `run:end`."""

    seq: int
    type: str
    text: str
    run: str = ""
    offset: int = 0
    length: int = 0


class Hint(msgspec.Struct, array_like=True):
    at: float
    items: Sequence[Item]


def item_of(frame: dict[str, Any]) -> Item:
    """`frame` encoded once, with what a room needs to know of it."""
    text = msgspec.json.encode(frame, order="deterministic").decode()
    if frame["type"] == "delta":
        return Item(0, "delta", text, frame["run"], frame["offset"], len(frame["text"]))
    if "data" not in frame:
        return Item(0, frame["type"], text)
    return Item(frame["seq"], frame["type"], text, frame["data"].get("run", "") if frame["type"] in ENDS else "")


def data_of(item: Item) -> dict[str, Any]:
    """The `data` of an event."""
    data: dict[str, Any] = msgspec.json.decode(item.text)["data"]
    return data


def pack(conversation: UUID, items: Sequence[Item]) -> dict[str, Any]:
    """A channel-layer message that carries `items`."""
    key_id = keyring().primary_id
    body = msgspec.msgpack.encode(Hint(time.time(), items))
    return {
        "type": "room.hint",
        "from": PROCESS,
        "conversation": conversation.bytes,
        "key": key_id,
        "body": crypto.encrypt(_cipher(key_id), body, conversation.bytes),
    }


def is_own(message: dict[str, Any]) -> bool:
    """Whether a message comes from this process, which need not read it."""
    return message.get("from") == PROCESS


def unpack(message: dict[str, Any]) -> tuple[UUID, Hint]:
    """The conversation and frames of a message. Raises CryptoError, KeyError, ValueError or DecodeError."""
    conversation = UUID(bytes=message["conversation"])
    body = crypto.decrypt(_cipher(message["key"]), message["body"], conversation.bytes)
    return conversation, msgspec.msgpack.decode(body, type=Hint)


@cache
def _cipher(key_id: str) -> AESGCM:
    return keyring().derive(PURPOSE, key_id)
