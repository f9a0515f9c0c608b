"""The text that can be drawn from a file, for assistants who read text only: within bounds, or none at all."""

import codecs
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from django.conf import settings

from chatproject.lib import metrics
from conversations.files.sniffing import PIECE_BYTES, encoding_of

log = logging.getLogger(__name__)

READER = Path(__file__).with_name("reader.py")
# How a type that is no plain text is read.
DOCUMENTS = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
TEXTS = ("text/", "application/json", "application/xml", "image/svg+xml")
# Bytes of UTF-8 that a code point has at most.
WIDEST = 4
# Documents that one process has read at the same time; others wait, within their own time.
_places = threading.BoundedSemaphore(2)


def draw(content: IO[bytes], type_: str, seconds: int) -> str | None:
    """The first FILE_TEXT_MAX_LENGTH code points of the text in `content`; None where there is none, or where it
    cannot be had in `seconds`."""
    content.seek(0)
    if type_ in DOCUMENTS:
        text = _document(content, DOCUMENTS[type_], seconds)
    else:
        text = _plain(content) if type_.startswith(TEXTS) else None
    cleaned = (text or "").replace("\0", "").strip()
    return cleaned or None


def _plain(content: IO[bytes]) -> str:
    found = content.read(settings.FILE_TEXT_MAX_LENGTH * WIDEST)
    decoder = codecs.getincrementaldecoder(encoding_of(found))("replace")
    return decoder.decode(found)[: settings.FILE_TEXT_MAX_LENGTH]


def _document(content: IO[bytes], kind: str, seconds: int) -> str | None:
    """What the reader says, as far as it comes in time."""
    until = time.monotonic() + seconds
    if not _places.acquire(timeout=seconds):
        _unread(kind, "no place")
        return None
    try:
        with _reader(kind, until - time.monotonic()) as reader:
            _pour(content, reader)
            assert reader.stdout
            said = reader.stdout.read(settings.FILE_TEXT_MAX_LENGTH * WIDEST)
            failed = reader.wait() != 0
    finally:
        _places.release()
    if failed:
        _unread(kind, f"status {reader.returncode}")
        return None
    return said.decode("utf-8", "replace")


@contextmanager
def _reader(kind: str, seconds: float) -> Iterator["subprocess.Popen[bytes]"]:
    """The program, without our environment; ended when the time is over, whatever it does."""
    arguments = [kind, str(settings.FILE_TEXT_MAX_LENGTH), str(math.ceil(seconds))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-I", READER, *arguments], env={}, **pipes) as reader:  # type: ignore[call-overload]
        clock = threading.Timer(seconds, reader.kill)
        clock.start()
        try:
            yield reader
        finally:
            clock.cancel()
            reader.kill()


def _pour(content: IO[bytes], reader: "subprocess.Popen[bytes]") -> None:
    assert reader.stdin
    with suppress(BrokenPipeError), reader.stdin as pipe:
        while piece := content.read(PIECE_BYTES):
            pipe.write(piece)


def _unread(kind: str, why: str) -> None:
    """A document without text is a document all the same."""
    metrics.files_unread.inc()
    log.warning("no text could be drawn from a %s: %s", kind, why)
