"""The content of a file in the database: chunks of CHUNK_BYTES, each encrypted with the conversation's key.

Each is bound to its conversation, file, number, and to whether it is the last one, so that a chunk that was moved,
swapped or left out is found out. Reading and writing hold one chunk in memory.
"""

from collections.abc import Iterator
from typing import IO
from uuid import UUID

from chatproject.lib.crypto import CryptoError, DataKey
from conversations.models import File, FileChunk

# Never to be changed: it tells in which chunk a byte is.
CHUNK_BYTES = 256 * 1024


def store(content: IO[bytes], *, key: DataKey, conversation: UUID, file: UUID) -> bytes:
    """Write all chunks of a new file; returns the keyed hash of its content. In the transaction of the caller."""
    found = key.digest()
    for number, (piece, last) in enumerate(_pieces(content)):
        found.update(piece)
        sealed = key.seal_bytes(piece, _context(conversation, file, number, last=last))
        FileChunk.objects.create(file_id=file, number=number, data=sealed)
    return found.digest()


def digest(content: IO[bytes], key: DataKey) -> bytes:
    """The keyed hash by which a repeated upload is told from another one."""
    found = key.digest()
    for piece, _ in _pieces(content):
        found.update(piece)
    return found.digest()


def chunk(file: File, number: int, key: DataKey) -> bytes:
    """One chunk in clear. Raises CryptoError where it was changed or moved, or is not there."""
    sealed = FileChunk.objects.filter(file=file.id, number=number).values_list("data", flat=True).first()
    if sealed is None:
        raise CryptoError("a chunk of a file is not there")
    context = _context(file.conversation_id, file.id, number, last=number == count(file) - 1)
    return key.open_bytes(bytes(sealed), context)


def pieces(file: File, key: DataKey) -> Iterator[bytes]:
    """All of a file, chunk by chunk."""
    return (chunk(file, number, key) for number in range(count(file)))


def count(file: File) -> int:
    return -(-file.size // CHUNK_BYTES)


def _pieces(content: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last."""
    content.seek(0)
    piece = content.read(CHUNK_BYTES)
    while piece:
        following = content.read(CHUNK_BYTES)
        yield piece, not following
        piece = following


def _context(conversation: UUID, file: UUID, number: int, *, last: bool) -> str:
    return f"{conversation.hex}|{file.hex}|chunk|{number}|{'last' if last else 'more'}"
