"""The shared state of a room: writes are merged under a row lock, whoever is in the room is told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.models import User
from chatproject.lib import database
from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import clean_object, is_well_formed
from conversations import keys, selectors, wire
from conversations.models import Conversation, RoomState
from conversations.permissions import Permission, require
from conversations.privacy.drafts import kept
from conversations.publishing import publish
from conversations.registers import Clock, Register, Relation, admitted, merge, relation

# Clients that a vector names at most; those with the fewest writes are forgotten first.
VECTOR_MAX = 50


def set_state(
    *, user: User, conversation: UUID, client_id: str, key: str, value: Any, vector: dict[str, int], wall: int
) -> None:
    """Merge a write into the register `key` (PROTOCOL.md section 7); `wall` in milliseconds since 1970.

    The loser of a conflict is kept as a copy for ROOM_STATE_CONFLICT_SECONDS. Raises Problem `not_found`,
    `forbidden`, `invalid`, `too_large`.
    """
    _check(key, value, client_id, vector)
    value = kept("state", value=value)["value"]
    author = {"id": str(user.id), "name": user.display_name, "client_id": client_id}
    write = Register(value, Clock(vector, wall), client_id, author)
    with transaction.atomic():
        require(selectors.role_of(user.id, conversation), Permission.SEND)
        row = _locked(conversation, key)
        changed = _apply(row, write, database.now())
    if changed:
        publish({conversation: [wire.state_set(row)]})


def _check(key: str, value: Any, client_id: str, vector: dict[str, int]) -> None:
    if not key.isprintable() or not is_well_formed(key):
        raise Problem("invalid", errors={"key": ["A key is printable text."]})
    clean_object("value", {"value": value}, settings.ROOM_STATE_BYTES)
    if client_id not in vector:
        raise Problem("invalid", errors={"clock": ["The vector must count this client's own writes."]})


def _locked(conversation: UUID, key: str) -> RoomState:
    """The row of a register, locked; made where it is new and there is room for it."""
    rows: QuerySet[RoomState] = RoomState.objects.filter(conversation=conversation, key=key)
    found = rows.select_for_update().first()
    if found:
        return found
    if not Conversation.objects.select_for_update(no_key=True).filter(id=conversation, erased_at=None):
        raise Problem("conversation_closed")
    if RoomState.objects.filter(conversation=conversation).count() >= settings.ROOM_STATE_KEYS:
        raise Problem("too_large", f"A room has at most {settings.ROOM_STATE_KEYS} keys.")
    new = RoomState(conversation_id=conversation, key=key, value={}, wall=0, author={}, updated_at=Now())
    RoomState.objects.bulk_create([new], ignore_conflicts=True)
    return rows.select_for_update().get()


def _apply(row: RoomState, write: Register, now: datetime) -> bool:
    """Merge `write` into `row` and store it; tells whether it changed anything."""
    current = wire.register(row) if row.wall else None
    write = admitted(write, current, int(now.timestamp() * 1000))
    found = relation(write.clock.vector, current.clock.vector) if current else Relation.SUCCESSOR
    if found in (Relation.SAME, Relation.PREDECESSOR):
        return False
    winner = merge(current, write) if current else write
    row.conflicts = _recent(row, now.timestamp())
    if current and found is Relation.CONFLICT:
        row.conflicts.append(_copy(row, write if winner.rank == current.rank else current, now.timestamp()))
    _store(row, winner)
    row.updated_at = now
    row.save()
    return True


def _recent(row: RoomState, now: float) -> list[dict[str, Any]]:
    kept = [copy for copy in row.conflicts if copy["at"] > now - settings.ROOM_STATE_CONFLICT_SECONDS]
    return kept[-settings.ROOM_STATE_KEYS :]


def _copy(row: RoomState, loser: Register, at: float) -> dict[str, Any]:
    return {"value": _sealed(row, loser.value), "wall": loser.clock.wall, "by": loser.author, "at": at}


def _store(row: RoomState, register: Register) -> None:
    row.value, row.wall = _sealed(row, register.value), register.clock.wall
    row.vector = dict(sorted(register.clock.vector.items(), key=lambda item: -item[1])[:VECTOR_MAX])
    row.client_id, row.author = register.client_id, register.author


def _sealed(row: RoomState, value: Any) -> dict[str, str]:
    return keys.of(row.conversation_id).seal(value, wire.state_context(row))
