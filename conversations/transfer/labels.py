"""Ids of a file are never taken over: each becomes another one, always the same within an import.

They are computed, not remembered, so that a log of any length needs no table.
"""

import hashlib
import re
from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.actors import Actor
from conversations.appends import Draft, Record
from conversations.transfer.lines import Line

UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Fields that belong to people and programs: what looks like an id there is none of ours.
FREE = frozenset({
    "text", "title", "comment", "metadata", "tags", "extra", "name", "input", "output", "schema", "value", "usage",
    "error", "reason",
})  # fmt: skip


COUNTS = ("tokens", "parts_tokens")


class Labels:
    """The ids of one import into `conversation`; `importer` stays who they are where the file names them."""

    def __init__(self, conversation: UUID, importer: User) -> None:
        self._salt = conversation.bytes
        self._now = new_id().bytes[:6]
        self._importer = str(importer.id)
        self._conversation = conversation

    def record(self, line: Line) -> Record:
        """The event with ids of ours."""
        known = {line.conversation: str(self._conversation), line.id: str(self.of(line.id))}
        # Whoever chose contexts by the counts of a file would trust it.
        data = self._mapped({name: item for name, item in line.data.items() if name not in COUNTS}, known)
        draft = Draft(line.type, data, id=UUID(known[line.id]))
        # Our own cmids name what they are about; those of clients are theirs.
        cmid = line.cmid and UUID_TEXT.sub(lambda found: known.get(found[0], found[0]), line.cmid)
        if line.cmid and UUID_TEXT.fullmatch(line.cmid):
            cmid = line.cmid
        return Record(draft, self._actor(line), line.at, cmid or None)

    def of(self, old: str) -> UUID:
        """A UUIDv7 for `old`; one of the same time where `old` has a time."""
        digest = hashlib.blake2b(old.encode(), key=self._salt, digest_size=10).digest()
        value = int.from_bytes(_time(old, self._now) + digest)
        return UUID(int=value & ~(0xF << 76 | 0b11 << 62) | 7 << 76 | 0b10 << 62)

    def text(self, old: str) -> str:
        return old if old == self._importer else str(self.of(old))

    def _actor(self, line: Line) -> Actor:
        """Users and agents become labels: nobody here has their id. Assistants and the system keep their names."""
        actor = line.actor
        id_ = self.text(actor.id) if actor.kind in ("user", "agent") else actor.id
        return Actor(actor.kind, id_, actor.name)

    def _mapped(self, value: Any, known: dict[str, str]) -> Any:
        if isinstance(value, dict):
            return {name: item if name in FREE else self._mapped(item, known) for name, item in value.items()}
        if isinstance(value, list):
            return [self._mapped(item, known) for item in value]
        if isinstance(value, str) and UUID_TEXT.fullmatch(value):
            known[value] = known.get(value) or self.text(value)
            return known[value]
        return value


def _time(old: str, otherwise: bytes) -> bytes:
    """The 48 bits of a UUIDv7 that hold its time (RFC 9562, 5.7)."""
    if UUID_TEXT.fullmatch(old) and UUID(old).version == 7:
        return UUID(old).bytes[:6]
    return otherwise
