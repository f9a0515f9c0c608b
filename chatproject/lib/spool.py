"""A place for bytes on their way: small in memory, on disk only under a key that dies with the object."""

import io
import tempfile
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chatproject.lib.crypto import NONCE_BYTES

BLOCK_BYTES = 256 * 1024
# Length of the tag that AES-GCM adds to each block.
TAG_BYTES = 16


class Spool(io.RawIOBase):
    """Written from front to back, read anywhere. Whole blocks go to a temporary file, each encrypted (its number is
    the nonce, the key is used for nothing else); what does not fill a block yet stays in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._file: Any = None
        self._blocks = 0
        self._tail = bytearray()
        self._position = 0
        self._read: tuple[int, bytes] = (-1, b"")

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._blocks * BLOCK_BYTES + len(self._tail)

    def write(self, data: Any) -> int:
        """Add to the end, wherever the reading position is."""
        self._tail += data
        while len(self._tail) >= BLOCK_BYTES:
            self._store(bytes(self._tail[:BLOCK_BYTES]))
            del self._tail[:BLOCK_BYTES]
        return len(data)

    def readinto(self, buffer: Any) -> int:
        """Fill all of `buffer` while there is something left, so that no reader meets a short read in the middle."""
        done = 0
        while done < len(buffer):
            number, offset = divmod(self._position, BLOCK_BYTES)
            found = self._block(number)[offset : offset + len(buffer) - done]
            if not found:
                break
            buffer[done : done + len(found)] = found
            done += len(found)
            self._position += len(found)
        return done

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._tail.clear()
        self._read = (-1, b"")
        super().close()

    def _store(self, block: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._file.seek(self._blocks * (BLOCK_BYTES + TAG_BYTES))
        self._file.write(self._cipher.encrypt(_nonce(self._blocks), block, None))
        self._blocks += 1

    def _block(self, number: int) -> bytes:
        """A block; the last one read is at hand, because readers take small pieces."""
        if number >= self._blocks:
            return bytes(self._tail) if number == self._blocks else b""
        if self._read[0] != number:
            self._file.seek(number * (BLOCK_BYTES + TAG_BYTES))
            stored = self._file.read(BLOCK_BYTES + TAG_BYTES)
            self._read = number, self._cipher.decrypt(_nonce(number), stored, None)
        return self._read[1]


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES)
