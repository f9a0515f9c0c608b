"""Files of questions: XLSX, CSV, JSONL, or one question per line; what it is is seen from what is in it."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any

from django.conf import settings

from chatproject.lib.errors import Problem
from conversations.batches import workbooks
from conversations.batches.questions import Question

# What the column with the questions is called, in any case.
NAMES = ("question", "questions", "问题", "提问")
# What a text file may be written in; the last is what spreadsheets in China write.
ENCODINGS = ("utf-8-sig", "gb18030")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = ",;\t"
# Characters of one cell that are looked at; what is longer is refused later, with its row.
CELL_MAX = 1_000_000

Row = tuple[int, Sequence[Any]]


def questions(file: IO[bytes], name: str = "") -> list[Question]:
    """What is asked in a file; rows that are empty do not count.

    Raises Problem `too_large` (BATCH_FILE_MAX_BYTES, BATCH_MAX_ROWS), `unsupported`, `invalid` with the row at fault.
    """
    content = file.read(settings.BATCH_FILE_MAX_BYTES + 1)
    if len(content) > settings.BATCH_FILE_MAX_BYTES:
        raise Problem("too_large", f"A file of questions has at most {settings.BATCH_FILE_MAX_BYTES} bytes.")
    if workbooks.is_workbook(content):
        return list(_bounded(_column(workbooks.rows(content))))
    text = _decoded(content)
    return list(_bounded(_reader(text, name.lower())(text)))


def _bounded(found: Iterator[Question]) -> Iterator[Question]:
    for count, question in enumerate(found, 1):
        if count > settings.BATCH_MAX_ROWS:
            raise Problem("too_large", f"A batch has at most {settings.BATCH_MAX_ROWS} questions.")
        yield question


def _decoded(content: bytes) -> str:
    encodings = ("utf-16",) if content[:2] in UTF16 else ENCODINGS
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Problem("unsupported", "This is neither text nor a workbook (XLSX).")


def _reader(text: str, name: str) -> Callable[[str], Iterator[Question]]:
    first = next((one.text for one in lines(text)), "")
    if first.startswith("{") and not name.endswith((".txt", ".csv")):
        return _jsonl
    return _csv if name.endswith((".csv", ".tsv")) or _names_a_column(first) else lines


def _names_a_column(line: str) -> bool:
    cells = next(csv.reader([line], delimiter=_delimiter(line)), [])
    return any(_is_name(cell) for cell in cells)


def _is_name(cell: Any) -> bool:
    return isinstance(cell, str) and cell.strip().lower() in NAMES


def lines(text: str) -> Iterator[Question]:
    """A question of each line that is not empty; CR and LF end one, other separators are text."""
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        if line.strip():
            yield Question(number, line.strip())


def _jsonl(text: str) -> Iterator[Question]:
    for question in lines(text):
        try:
            found = json.loads(question.text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not isinstance(found.get("question"), str):
            raise _fault(question.row, "This must be a JSON object with a text as `question`.")
        yield Question(question.row, found["question"])


def _csv(text: str) -> Iterator[Question]:
    csv.field_size_limit(CELL_MAX)
    delimiter = _delimiter(text.partition("\n")[0])
    read = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    yield from _column(_numbered(read))


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _numbered(read: Any) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        try:
            yield number, next(read)
        except StopIteration:
            return
        except csv.Error as error:
            raise _fault(number, f"This is not CSV: {error}.") from error


def _column(rows: Iterable[Row]) -> Iterator[Question]:
    """The cells of the column that is named so in the first row; without a name, those of the only column."""
    place: int | None = None
    for number, cells in rows:
        filled = [cell for cell in cells if cell is not None and str(cell).strip()]
        if not filled:
            continue
        if place is None:
            place = _place(number, cells)
            if _is_name(cells[place]):
                continue
        cell = cells[place] if place < len(cells) else None
        if cell is None or not str(cell).strip():
            raise _fault(number, "There is no question in this row.")
        yield Question(number, str(cell).strip())


def _place(number: int, cells: Sequence[Any]) -> int:
    """Which column it is, by the first row. Raises Problem `invalid`."""
    named = [place for place, cell in enumerate(cells) if _is_name(cell)]
    filled = [place for place, cell in enumerate(cells) if cell is not None and str(cell).strip()]
    if len(named) == 1 or len(filled) == 1:
        return (named or filled)[0]
    raise _fault(number, "With several columns, the first row must name one of them `question`.")


def _fault(row: int, sentence: str) -> Problem:
    return Problem("invalid", errors={"file": [f"Row {row}: {sentence}"]})
