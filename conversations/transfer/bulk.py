"""The work of an export of many conversations: one after the other, each stored in encrypted chunks.

A worker that dies is followed by another one, which goes on with the first conversation that is not done. The
lease is renewed with every chunk, in the same transaction, so that a worker that only slept writes nothing.
"""

import logging
import zlib
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from chatproject.lib import failpoints, metrics
from chatproject.lib.crypto import CryptoError, DataKey
from chatproject.lib.errors import Problem
from conversations import background, keys, selectors
from conversations.models import Conversation, Export, ExportChunk, ExportItem
from conversations.transfer.exporting import FORMS

log = logging.getLogger(__name__)

# Bytes of a chunk before it is compressed; what is in memory at the same time is a few of them.
CHUNK_BYTES = 512 * 1024


class Lost(Exception):
    """The export was cancelled, has expired, or another worker has it."""


def work(export: str) -> None:
    """Go on with an export until it is done. May be killed at any moment, and be called again."""
    claimed = _claim(UUID(export))
    if claimed is None:
        return
    try:
        for item in _open_items(claimed):
            background.pause()
            _do(claimed, item)
        _finish(claimed)
    except Lost:
        log.info("export %s is not ours any more", export)
    except Exception:
        _held(claimed).update(lease_until=None)
        raise


def pieces(export: Export, item: ExportItem) -> Iterator[bytes]:
    """The file of one conversation, chunk by chunk. Raises CryptoError where one is not there."""
    key = _key(export)
    for number in range(item.chunks):
        rows = ExportChunk.objects.filter(export=export, conversation_id=item.conversation_id, number=number)
        sealed = rows.values_list("data", flat=True).first()
        if sealed is None:
            raise CryptoError("a chunk of an export is not there")
        yield zlib.decompress(key.open_bytes(bytes(sealed), _context(item.conversation_id, number)))


def _claim(id_: UUID) -> Export | None:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    rows = Export.objects.filter(free, id=id_, status__in=Export.ACTIVE, expires_at__gt=Now())
    if not rows.update(status=Export.Status.RUNNING, fence=F("fence") + 1, lease_until=_lease()):
        return None
    return Export.objects.get(id=id_)


def _open_items(export: Export) -> Iterator[ExportItem]:
    """Those that are not done, in order; read in pages, because there may be many."""
    while page := list(ExportItem.objects.filter(export=export, done=False).order_by("conversation_id")[:100]):
        yield from page


def _do(export: Export, item: ExportItem) -> None:
    """Store one conversation, from its beginning: what a worker before left of it is replaced."""
    with transaction.atomic():
        _renew(export)
        ExportChunk.objects.filter(export=export, conversation_id=item.conversation_id).delete()
    try:
        count = size = 0
        for count, piece in enumerate(_chunked(_content(export, item)), 1):
            size += _store(export, item.conversation_id, count - 1, piece)
    except (Problem, CryptoError, Conversation.DoesNotExist) as error:
        log.info("export %s leaves out %s (%s)", export.id, item.conversation_id, type(error).__name__)
        count = size = 0
    failpoints.hit("export_item")
    with transaction.atomic():
        _renew(export, done=F("done") + 1, bytes=F("bytes") + size)
        ExportItem.objects.filter(export=export, conversation_id=item.conversation_id).update(done=True, chunks=count)


def _content(export: Export, item: ExportItem) -> Iterator[bytes]:
    """Raises Problem where it may not be read any more."""
    conversation = Conversation.objects.get(id=item.conversation_id)
    if export.by_staff and not export.user.has_perm("conversations.read_content"):
        raise Problem("forbidden")
    if not export.by_staff and selectors.role_of(export.user_id, conversation.id) is None:
        raise Problem("not_found")
    yield from FORMS["jsonl"].write(conversation)


def _chunked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    waiting = b""
    for piece in pieces:
        waiting += piece
        if len(waiting) >= CHUNK_BYTES:
            yield waiting
            waiting = b""
    if waiting:
        yield waiting


@transaction.atomic
def _store(export: Export, conversation: UUID, number: int, piece: bytes) -> int:
    _renew(export)
    sealed = _key(export).seal_bytes(zlib.compress(piece, 1), _context(conversation, number))
    ExportChunk.objects.create(export=export, conversation_id=conversation, number=number, data=sealed)
    return len(sealed)


def _finish(export: Export) -> None:
    if _held(export).update(status=Export.Status.COMPLETED, ended_at=Now(), lease_until=None):
        metrics.exports.labels("completed").inc()


def _renew(export: Export, **fields: object) -> None:
    """Raises Lost where the export is not this worker's any more."""
    if not _held(export).update(lease_until=_lease(), **fields):
        raise Lost


def _held(export: Export) -> QuerySet[Export]:
    return Export.objects.filter(id=export.id, fence=export.fence, status=Export.Status.RUNNING)


def _lease() -> Combinable:
    return Now() + timedelta(seconds=settings.EXPORT_LEASE_SECONDS)


def _key(export: Export) -> DataKey:
    return keys.keyring().unwrap(export.data_key, export.id.hex)


def _context(conversation: UUID, number: int) -> str:
    return f"export|{conversation.hex}|{number}"
