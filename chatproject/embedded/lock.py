"""One `serve` for one DATA_DIR."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout


@contextmanager
def locked(layout: Layout) -> Iterator[IO[str]]:
    """Hold DATA_DIR's lock; the kernel lets go of it when this process ends, however it ends.

    Raises StartError, with the pid and address of the other one, where another process holds it.
    """
    with open(os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(held_by_another(layout, file.read())) from error
        introduce(file, "")
        yield file


def introduce(file: IO[str], address: str) -> None:
    """Write into the lock file who holds it."""
    file.seek(0)
    file.truncate()
    json.dump({"pid": os.getpid(), "address": address}, file)
    file.flush()


def held_by_another(layout: Layout, text: str) -> str:
    """Return the sentence for somebody who came second."""
    holder = json.loads(text or "{}")
    where = f" at {holder['address']}" if holder.get("address") else ""
    return (
        f"DATA_DIR {layout.data_dir} is in use: serve runs as process {holder.get('pid', '?')}{where}; "
        "stop that one (Ctrl-C), or set another DATA_DIR and PORT."
    )
