"""What a file is, by what is in it: the claims of clients count for nothing.

Why by a table of our own: docs/decisions/0009-files-in-the-database.md.

Text is told apart by the end of its name only among kinds that are all harmless text.
"""

import codecs
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import IO

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 4096
PIECE_BYTES = 64 * 1024

PORTABLE_EXECUTABLE = "application/vnd.microsoft.portable-executable"
EXECUTABLE = "application/x-executable"
# (offset, bytes, type); the first that fits.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x7fELF", EXECUTABLE),
    (0, b"\xfe\xed\xfa", EXECUTABLE),
    (0, b"\xce\xfa\xed\xfe", EXECUTABLE),
    (0, b"\xcf\xfa\xed\xfe", EXECUTABLE),
    (0, b"\xca\xfe\xba\xbe", EXECUTABLE),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
# What stands inside of an office document, which is a ZIP archive from outside.
OFFICE = {
    b"word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
TEXT_BY_ENDING = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".htm": "text/html",
    ".html": "text/html",
    ".xhtml": "text/html",
    ".svg": "image/svg+xml",
    ".xml": "application/xml",
}
_SVG = re.compile(r"<svg[\s>/]", re.IGNORECASE)
_HTML = re.compile(r"<(!doctype\s+html|html|head|body|script|iframe|title|meta|link|style|img|a\s|div|p>|h1)", re.I)
# What a text never has: controls but tab, line feed, carriage return, form feed.
_CONTROL = re.compile(r"[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def sniff(content: IO[bytes], name: str) -> str:
    """The MIME type of `content`, which is read from its beginning; `application/octet-stream` where unknown."""
    head = _head(content)
    if head.startswith(b"MZ") and _is_portable_executable(content):
        return PORTABLE_EXECUTABLE
    if head.startswith(b"PK\x03\x04"):
        return _archive(content)
    for offset, signature, type_ in SIGNATURES:
        if head.startswith(signature, offset):
            return type_
    return _text(head, name) if is_text(content) else UNKNOWN


def encoding_of(head: bytes) -> str:
    """The encoding that a text begins with: by its byte order mark, else UTF-8."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")


def is_text(content: IO[bytes]) -> bool:
    """Whether all of it is UTF-8 (or UTF-16 with a byte order mark) without control characters."""
    decoder = codecs.getincrementaldecoder(encoding_of(_head(content)))()
    try:
        return not any(_CONTROL.search(decoder.decode(piece, final=not piece)) for piece in _pieces(content))
    except UnicodeDecodeError:
        return False


def _pieces(content: IO[bytes]) -> Iterable[bytes]:
    """All of it from the beginning, with an empty piece for the end."""
    content.seek(0)
    while piece := content.read(PIECE_BYTES):
        yield piece
    yield b""


def _head(content: IO[bytes]) -> bytes:
    content.seek(0)
    return content.read(HEAD_BYTES)


def _text(head: bytes, name: str) -> str:
    """A kind of text: markup by how it begins or how the name ends, the others by the name alone."""
    begin = head.decode(encoding_of(head), "ignore").lstrip("\ufeff \t\r\n")
    ending = TEXT_BY_ENDING.get(PurePosixPath(name).suffix.lower(), "text/plain")
    if begin.startswith("<"):
        for pattern, type_ in ((_SVG, "image/svg+xml"), (_HTML, "text/html")):
            if pattern.search(begin):
                return type_
        return "application/xml" if begin.startswith("<?xml") else ending
    return ending


def _is_portable_executable(content: IO[bytes]) -> bool:
    """`PE` stands where the header says; a text that begins with MZ is none."""
    content.seek(0x3C)
    content.seek(int.from_bytes(content.read(4), "little"))
    return content.read(4) == b"PE\0\0"


def _archive(content: IO[bytes]) -> str:
    """What its names say, which stand in clear in its first and last bytes; nothing is unpacked."""
    ends = _head(content) + _tail(content)
    return next((type_ for name, type_ in OFFICE.items() if name in ends), "application/zip")


def _tail(content: IO[bytes]) -> bytes:
    content.seek(max(0, content.seek(0, 2) - PIECE_BYTES))
    return content.read(PIECE_BYTES)
