"""XLSX, row by row; what would unpack to too much is not unpacked."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import openpyxl
from django.conf import settings
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from chatproject.lib.errors import Problem

# How much larger than BATCH_FILE_MAX_BYTES a workbook may be when it is unpacked.
UNPACKED = 20
# Characters that a cell holds at most.
CELL_MAX = 32_000
NO_WORKBOOK = "This is neither text nor a workbook (XLSX)."
# Columns that are looked at, and rows: as many as a sheet can have. A file may number its rows as it likes.
COLUMNS = 100
ROWS = 1_048_576
# Tags of all parts together: each takes a hundred times its bytes when it is read.
TAGS = 2_000_000
PIECE = 1024 * 1024
# What a damaged, encrypted or unknown archive makes zipfile raise.
DAMAGED = (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error)


def is_workbook(content: bytes) -> bool:
    """Whether this is a ZIP archive, which a workbook is; no text begins like one."""
    return content.startswith(b"PK\x03\x04")


def rows(content: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows of the first sheet, each with its number. Raises Problem `unsupported`, `too_large`."""
    check_archive(content, "xl/workbook.xml", NO_WORKBOOK)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        yield from enumerate(sheet.iter_rows(values_only=True, max_col=COLUMNS, max_row=ROWS), 1)
    except Problem:
        raise
    # A damaged workbook makes openpyxl raise nearly anything.
    except Exception as error:
        raise Problem("unsupported", "This workbook cannot be read; save it as XLSX once more.") from error


def check_archive(content: bytes, entry: str, sentence: str) -> None:
    """Look into a ZIP archive that must hold `entry`. Raises Problem `unsupported` with `sentence`, `too_large`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if entry not in archive.namelist():
                raise Problem("unsupported", sentence)
            unpacked = sum(one.file_size for one in archive.infolist())
            if unpacked > UNPACKED * settings.BATCH_FILE_MAX_BYTES or _tags(archive) > TAGS:
                raise Problem("too_large", "This file unpacks to too much.")
    except DAMAGED as error:
        raise Problem("unsupported", "This is a damaged archive.") from error


def _tags(archive: zipfile.ZipFile) -> int:
    """How many there are in all parts, or so: a little over TAGS at most."""
    found = 0
    for name in archive.namelist():
        with archive.open(name) as part:
            while found <= TAGS and (piece := part.read(PIECE)):
                found += piece.count(b"<")
    return found


def written(columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    """A workbook with one sheet. Text is text in it, whatever it begins with."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Answers")
    sheet.append(list(columns))
    for line in lines:
        sheet.append([_cell(sheet, value) for value in line])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:CELL_MAX])
    cell.data_type = "s"
    return cell
