"""What tests of imports share: files in and out, and comparing them without their ids."""

import io
import json
import re
from typing import Any
from uuid import UUID

import msgspec

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import Conversation
from conversations.services import importing
from conversations.transfer import exporting

Json = dict[str, Any]
UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def exported(conversation: UUID, form: str = "jsonl") -> bytes:
    return b"".join(exporting.FORMS[form].write(Conversation.objects.get(id=conversation)))


def imported(user: User, file: bytes) -> UUID:
    """The one conversation of a file."""
    [id_] = all_imported(user, file)
    return id_


def all_imported(user: User, file: bytes) -> list[UUID]:
    return importing.import_file(user=user, file=io.BytesIO(file))


def refusal(user: User, file: bytes) -> tuple[str, str]:
    """Code and sentence with which a file is refused; nothing of it is there afterwards."""
    before = set(Conversation.objects.filter(owner=user).values_list("id", flat=True))
    try:
        all_imported(user, file)
    except Problem as problem:
        assert set(Conversation.objects.filter(owner=user).values_list("id", flat=True)) == before
        return problem.code.name, problem.detail
    raise AssertionError("the file was imported")


def anonymous(value: Any) -> str:
    """JSON with ids replaced by the order in which they come, so that only who equals whom is left."""
    order: dict[str, str] = {}
    text = msgspec.json.encode(value).decode()
    return UUID_TEXT.sub(lambda found: order.setdefault(found[0], f"id {len(order)}"), text)


def without_marks(events: list[Json]) -> list[Json]:
    return [{**event, "actor": {n: v for n, v in event["actor"].items() if n != "imported"}} for event in events]


def document(*values: Any) -> bytes:
    """The lines of a JSONL file."""
    return b"\n".join(json.dumps(value).encode() for value in values) + b"\n"
