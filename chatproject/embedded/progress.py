"""Lines that show a person how far a start is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """Prints one line per step, with the time that it took."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Print to `out`, or to the standard output of this moment."""
        self.out = out or sys.stdout

    def say(self, text: str) -> None:
        """Print one line at once."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        self.out.write(text)
        self.out.flush()

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print `text` before the block, and after it how long it took."""
        begun = time.monotonic()
        self.write(f"  {text} ... ")
        try:
            yield
        except BaseException:
            self.write("\n")
            raise
        self.write(f"{time.monotonic() - begun:.1f} s\n")
