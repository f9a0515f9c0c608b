"""XLSX, row by row; what would unpack to too much is not unpacked."""

import io
import zipfile
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
# Columns that are looked at.
COLUMNS = 100


def is_workbook(content: bytes) -> bool:
    """Whether this is a ZIP archive, which a workbook is; no text begins like one."""
    return content.startswith(b"PK\x03\x04")


def rows(content: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    """The rows of the first sheet, each with its number. Raises Problem `unsupported`, `too_large`."""
    check_archive(content, "xl/workbook.xml", NO_WORKBOOK)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        yield from enumerate(sheet.iter_rows(values_only=True, max_col=COLUMNS), 1)
    except Problem:
        raise
    # A damaged workbook makes openpyxl raise nearly anything.
    except Exception as error:
        raise Problem("unsupported", "This workbook cannot be read; save it as XLSX once more.") from error


def check_archive(content: bytes, entry: str, sentence: str) -> None:
    """Look into a ZIP archive that must hold `entry`. Raises Problem `unsupported` with `sentence`, `too_large`."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise Problem("unsupported", "This is a damaged archive.") from error
    if entry not in names:
        raise Problem("unsupported", sentence)
    if unpacked > UNPACKED * settings.BATCH_FILE_MAX_BYTES:
        raise Problem("too_large", "This file unpacks to too much.")


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
