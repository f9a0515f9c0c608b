"""A spool gives back what was written into it, and nothing of it can be read on the disk."""

import io
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chatproject.lib.spool import BLOCK_BYTES, Spool


@given(st.lists(st.binary(max_size=400), max_size=20), st.integers(0, 3000), st.integers(1, 3000))
def test_reads_what_was_written(pieces: list[bytes], start: int, length: int) -> None:
    with Spool() as spool:
        for piece in pieces:
            spool.write(piece * 300)
        whole = b"".join(piece * 300 for piece in pieces)
        assert spool.size == len(whole)
        assert spool.read() == whole
        spool.seek(start * 100)
        assert spool.read(length * 100) == whole[start * 100 :][: length * 100]
        assert spool.seek(0, io.SEEK_END) == len(whole)
        assert spool.read(1) == b""


def test_nothing_lies_in_clear_on_the_disk() -> None:
    with Spool() as spool:
        spool.write(b"secret words " * 100_000)
        assert spool._file is not None
        spool._file.flush()
        stored = os.pread(spool._file.fileno(), 2_000_000, 0)
        assert len(stored) >= BLOCK_BYTES
        assert b"secret" not in stored


def test_small_bodies_never_touch_the_disk(tmp_path: Path) -> None:
    with Spool() as spool:
        spool.write(b"x" * (BLOCK_BYTES - 1))
        assert spool._file is None
