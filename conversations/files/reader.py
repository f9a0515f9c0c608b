"""Draws the text from a PDF or a Word document. Runs as a program of its own, without our settings and secrets:
what it reads came from strangers, and libraries that read such files can be brought to loop or to swell.

`python reader.py <pdf|docx> <code points at most> <seconds>`; the document on standard input, its text on standard
output.
"""

import io
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO
from xml.etree import ElementTree

from pypdf import PdfReader

# Address space of this program at most.
MEMORY_BYTES = 768 * 1024 * 1024
# Bytes of the one part of a Word document that is read, unpacked.
PART_BYTES = 64 * 1024 * 1024
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def pdf(document: IO[bytes]) -> Iterator[str]:
    """The text of each page."""
    for page in PdfReader(document).pages:
        yield page.extract_text() + "\n"


def docx(document: IO[bytes]) -> Iterator[str]:
    """The text of each paragraph."""
    with zipfile.ZipFile(document) as archive, archive.open("word/document.xml") as part:
        content = io.BytesIO(part.read(PART_BYTES))
    for _, element in ElementTree.iterparse(content):  # noqa: S314  what a bomb can reach is bounded in `main`
        if element.tag == f"{W}p":
            yield "".join(_pieces(element)) + "\n"
            element.clear()


def _pieces(paragraph: ElementTree.Element) -> Iterator[str]:
    for element in paragraph.iter():
        if element.tag == f"{W}t":
            yield element.text or ""
        elif element.tag in (f"{W}tab", f"{W}br"):
            yield "\t" if element.tag.endswith("tab") else "\n"


def beginning(pieces: Iterable[str], limit: int) -> str:
    """As much of the text as is wanted, and no page more than that."""
    found: list[str] = []
    for piece in pieces:
        found.append(piece[:limit])
        limit -= len(piece)
        if limit <= 0:
            break
    return "".join(found)


def main(kind: str, limit: str, seconds: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    document = io.BytesIO(sys.stdin.buffer.read())
    text = beginning({"pdf": pdf, "docx": docx}[kind](document), int(limit))
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))


if __name__ == "__main__":
    main(*sys.argv[1:])
