"""A ZIP archive as a stream: made while it is sent, in constant memory."""

from collections.abc import Iterable, Iterator
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


class _Sink:
    """What an archive is written to. Without `tell` and `seek`, so that zipfile writes as for a pipe."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        found = bytes(self._waiting)
        self._waiting.clear()
        return found


def stream(files: Iterable[tuple[str, Iterator[bytes]]]) -> Iterator[bytes]:
    """The archive of `files`, each a name and its content piece by piece."""
    sink = _Sink()
    with ZipFile(cast(IO[bytes], sink), "w") as archive:
        for name, pieces in files:
            info = ZipInfo(name)
            info.compress_type = ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                for piece in pieces:
                    file.write(piece)
                    yield sink.taken()
    yield sink.taken()
