"""Verbs on files: upload, delete, and the periodic clearing away of what was never attached."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from accounts.models import User
from chatproject.lib import clock, metrics
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import keys, selectors
from conversations.context import tokens
from conversations.event_types import context
from conversations.files import content as contents
from conversations.files.extracting import draw
from conversations.files.forms import as_text
from conversations.files.names import clean_name
from conversations.files.sniffing import sniff
from conversations.models import Conversation, File
from conversations.permissions import Permission, require
from conversations.privacy.drafts import kept
from conversations.services.messages import OPEN

# Files that one statement clears away at most.
CLEARED_AT_ONCE = 100
# Seconds that drawing the text of one file may take in an import.
IMPORT_TEXT_SECONDS = 3
ERASED = "This conversation was erased."


@dataclass(frozen=True)
class Upload:
    """What came in: seekable `content` of `size` bytes, and the name that it was given. `request` is an
    Idempotency-Key."""

    content: IO[bytes]
    size: int
    name: str
    request: str | None = None


def upload(*, user: User, conversation: UUID, given: Upload) -> File:
    """Store a file, all of it or nothing; it can be attached from then on.

    Raises Problem `not_found`, `forbidden`, `conversation_closed`, `too_large` (FILE_MAX_BYTES), `unsupported`
    (FILE_TYPES, FILE_TYPES_REFUSED), `quota_exceeded`, `invalid` (empty, no name), `idempotency_mismatch`.
    """
    require(selectors.role_of(user.id, conversation), Permission.SEND)
    key = keys.find(conversation)
    if key is None:
        raise Problem("conversation_closed", ERASED)
    row = _row(user, conversation, given)
    try:
        return _before(row, given, key) or _store(told(row, given, key), given, key)
    except IntegrityError:
        # The same request came twice at once, and the other one was first.
        before = _before(row, given, key)
        if before is None:
            raise
        return before


@dataclass(frozen=True)
class Target:
    """A conversation that is being imported by `user`: nobody else knows of it yet."""

    user: User
    conversation: UUID
    key: DataKey


def restore(*, target: Target, given: Upload, id: UUID, at: datetime) -> File:
    """Store a file of an export under another id, in the transaction of the import.

    Raises Problem `too_large`, `unsupported`, `quota_exceeded`, `invalid`, as an upload does. Text that is not drawn
    at once is left out, because PostgreSQL ends transactions that do nothing for 5 s.
    """
    row = _row(target.user, target.conversation, given)
    row.id, row.created_at = id, clock.to_millis(at)
    check_quota(row)
    _described(row, given, target.key, min(settings.FILE_TEXT_SECONDS, IMPORT_TEXT_SECONDS))
    row.digest = contents.store(given.content, key=target.key, conversation=target.conversation, file=id)
    row.save(force_insert=True)
    return row


def delete(*, user: User, file: File) -> None:
    """Take back a file that no message carries; for who uploaded it, and for the owner of the conversation.

    Raises Problem `not_found`, `forbidden`, `conflict` (a message carries it).
    """
    role = selectors.role_of(user.id, file.conversation_id)
    require(role, Permission.SEND)
    if role != "owner" and file.uploader_id != user.id:
        raise Problem("forbidden", "Only who uploaded a file, and the owner of the conversation, may delete it.")
    with transaction.atomic():
        row = File.objects.select_for_update().filter(id=file.id).first()
        if row is None:
            raise Problem("not_found")
        if row.message:
            raise Problem("conflict", "A message carries this file.")
        row.delete()


def clear_unattached() -> None:
    """Delete the files that no message carries FILE_UNATTACHED_HOURS after their upload."""
    limit = clock.now() - timedelta(hours=settings.FILE_UNATTACHED_HOURS)
    while _clear_some(limit):
        pass


@transaction.atomic
def _clear_some(limit: datetime) -> int:
    """Locked ones are being attached right now, or deleted by somebody else."""
    rows = File.objects.filter(message=None, created_at__lt=limit).select_for_update(skip_locked=True)
    found = list(rows.values_list("id", flat=True)[:CLEARED_AT_ONCE])
    File.objects.filter(id__in=found).delete()
    return len(found)


def _row(user: User, conversation: UUID, given: Upload) -> File:
    return File(
        id=new_id(),
        conversation_id=conversation,
        uploader=user,
        type=allowed(sniff(given.content, given.name)),
        size=allowed_size(given),
        request=given.request,
    )


def told(row: File, given: Upload, key: DataKey) -> File:
    """Like `_described`, outside of a transaction: in the seconds that it takes, others can have the connection."""
    connection.close()
    return _described(row, given, key, settings.FILE_TEXT_SECONDS)


def _described(row: File, given: Upload, key: DataKey, seconds: int) -> File:
    """With its name, and with the text that can be drawn from it and is sent to models.

    The content itself is kept as it came: what stands in a PDF cannot be taken out of it.
    """
    name, text = kept("file", file=[clean_name(given.name), draw(given.content, row.type, seconds)])["file"]
    row.name = key.seal(name, context(row.conversation_id, row.id, "name"))
    row.text = key.seal(text, context(row.conversation_id, row.id, "text")) if text else None
    row.tokens = tokens.counts(as_text(name, row.type, text))
    return row


def allowed_size(given: Upload) -> int:
    """Raises Problem `invalid`, `too_large`."""
    if not given.size:
        raise Problem("invalid", errors={"file": ["This file is empty."]})
    if given.size > settings.FILE_MAX_BYTES:
        raise Problem("too_large", f"A file has at most {settings.FILE_MAX_BYTES} bytes.")
    return given.size


def allowed(type_: str) -> str:
    """Raises Problem `unsupported`."""
    if not _matches(type_, settings.FILE_TYPES) or _matches(type_, settings.FILE_TYPES_REFUSED):
        raise Problem("unsupported", f"Files of the type {type_} are not taken here.")
    return type_


def _matches(type_: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(type_, pattern) for pattern in patterns)


def _before(row: File, given: Upload, key: DataKey) -> File | None:
    """The file that the same request stored before. Raises Problem `idempotency_mismatch`."""
    if row.request is None:
        return None
    known = File.objects.filter(conversation=row.conversation_id, uploader=row.uploader_id, request=row.request).first()
    if known and bytes(known.digest) != contents.digest(given.content, key):
        raise Problem("idempotency_mismatch")
    return known


@transaction.atomic
def _store(row: File, given: Upload, key: DataKey) -> File:
    """Chunks first, so that the conversation is locked only for the last moment, in which everything is checked."""
    assert row.uploader_id
    row.digest = contents.store(given.content, key=key, conversation=row.conversation_id, file=row.id)
    conversation = Conversation.objects.select_for_update().filter(id=row.conversation_id).exclude(data_key="").first()
    if conversation is None:
        raise Problem("conversation_closed", ERASED)
    require(selectors.role_of(row.uploader_id, conversation.id), Permission.SEND)
    if conversation.status not in OPEN:
        raise Problem("conversation_closed")
    check_quota(row)
    row.created_at = clock.now()
    row.save(force_insert=True)
    metrics.file_bytes.inc(row.size)
    return row


def check_quota(row: File) -> None:
    """Raises Problem `quota_exceeded`; the conversation's row is locked."""
    others = File.objects.filter(conversation=row.conversation_id)
    used = others.aggregate(total=Sum("size"))["total"] or 0
    if used + row.size > settings.FILES_MAX_BYTES or others.count() >= settings.FILES_MAX:
        raise Problem("quota_exceeded", "This conversation has no room for more files.")
