"""What is asked in a file, and what is wrong with it."""

import io
import zipfile

import pytest
from django.test import override_settings

from chatproject.lib.errors import Problem
from conversations.batches import reading
from tests.conversations.batches.files import changed, workbook

TWO = [(1, "Why?"), (2, "How?")]
UNDER_A_HEADING = [(2, "Why?"), (3, "How?")]


def read(content: bytes, name: str = "") -> list[tuple[int, str]]:
    return [(one.row, one.text) for one in reading.questions(io.BytesIO(content), name)]


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        pytest.param(b"Why?\nHow?\n", "questions.txt", TWO, id="text"),
        pytest.param(b"Why?\r\n\r\n  \r\nHow, then?", "", [(1, "Why?"), (4, "How, then?")], id="empty lines"),
        pytest.param(b"question\nWhy?\nHow?\n", "", UNDER_A_HEADING, id="csv without a name"),
        pytest.param(b"id,Question\n1,Why?\n2,How?\n", "x.csv", UNDER_A_HEADING, id="csv"),
        pytest.param(b"id;question\n1;Why?\n2;How?\n", "x.csv", UNDER_A_HEADING, id="semicolons"),
        pytest.param(b"id\tquestion\n1\tWhy?\n2\tHow?\n", "", UNDER_A_HEADING, id="tabs"),
        pytest.param(b"Why?\nHow?\n", "x.csv", TWO, id="one column without a heading"),
        pytest.param(b'question\n"Why,\nthen?"\n', "x.csv", [(2, "Why,\nthen?")], id="quoted"),
        pytest.param(b'{"question": "Why?"}\n{"question": "How?", "id": 2}\n', "", TWO, id="jsonl"),
        pytest.param("Why\u2028then?\x0c\rHow?".encode(), "", [(1, "Why\u2028then?"), (2, "How?")], id="separators"),
        pytest.param('{"question": "Why\u2028then?"}'.encode(), "", [(1, "Why\u2028then?")], id="separators in jsonl"),
        pytest.param("问题\n为什么？\n".encode("gb18030"), "x.csv", [(2, "为什么？")], id="gb18030"),
        pytest.param("\ufeffquestion\nWhy?\nHow?".encode(), "x.csv", UNDER_A_HEADING, id="mark"),
        pytest.param("Why?\nHow?".encode("utf-16"), "", TWO, id="utf-16"),
        pytest.param(workbook(["id", "Question"], [1, "Why?"], [2, "How?"]), "x", UNDER_A_HEADING, id="xlsx"),
        pytest.param(workbook(["Why?"], [], ["How?"]), "x.csv", [(1, "Why?"), (3, "How?")], id="xlsx, one column"),
        pytest.param(workbook(["question"], [42]), "x.xlsx", [(2, "42")], id="a number"),
    ],
)
def test_what_is_asked(content: bytes, name: str, found: list[tuple[int, str]]) -> None:
    assert read(content, name) == found


def packed(**entries: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("__", "/"), data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "code", "told"),
    [
        pytest.param(b"id,question\n1,Why?\n2,\n", "x.csv", "invalid", "Row 3", id="no question in a row"),
        pytest.param(b"a,b\n1,2\n", "x.csv", "invalid", "Row 1", id="which column"),
        pytest.param(b'question\n"Why?', "x.csv", "invalid", "Row 2", id="no end of a quote"),
        pytest.param(b'{"question": "Why?"}\n{"text": "How?"}\n', "", "invalid", "Row 2", id="another field"),
        pytest.param(b'{"question": "Why?"}\n{', "", "invalid", "Row 2", id="half a line"),
        pytest.param(b'{"question": 1}', "", "invalid", "Row 1", id="no text"),
        pytest.param(b"{" * 5000, "", "invalid", "Row 1", id="deep"),
        pytest.param(b"\x00\x01\x02\xff", "x.csv", "unsupported", "neither", id="no text at all"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", "x.txt", "unsupported", "neither", id="a picture"),
        pytest.param(packed(a=b"x"), "x.xlsx", "unsupported", "neither", id="another archive"),
        pytest.param(packed(xl__workbook=b"x"), "x.xlsx", "unsupported", "neither", id="no workbook"),
        pytest.param(packed(**{"xl__workbook.xml": b"<x>"}), "x.xlsx", "unsupported", "cannot", id="an empty one"),
        pytest.param(b"PK\x03\x04" + bytes(50), "x.xlsx", "unsupported", "damaged", id="damaged"),
        pytest.param(workbook(["question"])[:-50], "x.xlsx", "unsupported", "damaged", id="cut off"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(content: bytes, name: str, code: str, told: str) -> None:
    with pytest.raises(Problem) as caught:
        read(content, name)
    assert caught.value.code.name == code
    assert told in str([caught.value.detail, caught.value.errors])


@override_settings(BATCH_MAX_ROWS=2, BATCH_FILE_MAX_BYTES=100_000)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"x\n" * 3, id="rows"),
        pytest.param(b"x" * 100_001, id="bytes"),
        pytest.param(workbook(["x"], ["y"], ["z"]), id="rows of a workbook"),
        pytest.param(packed(**{"xl__workbook.xml": b" " * 3_000_000}), id="a bomb"),
    ],
)
def test_there_is_a_limit(content: bytes) -> None:
    with pytest.raises(Problem, match="too_large"):
        read(content)


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_may_lie_about_its_size() -> None:
    """A row of any number does not make us count to it; rows that are there are read, whatever the sheet says."""
    three = workbook(["question"], ["Why?"], ["How?"])
    assert read(changed(three, SHEET, 'ref="A1:A3"', 'ref="A1"')) == UNDER_A_HEADING
    far = changed(three, SHEET, '<row r="3"', '<row r="3000000000"')
    assert read(changed(far, SHEET, 'ref="A1:A3"', 'ref="A1:A3000000000"')) == [(2, "Why?")]


def test_a_small_file_may_hold_too_many_cells() -> None:
    """Each takes hundreds of bytes when it is read, and three of a file that is packed."""
    bomb = changed(
        workbook(["question"]), SHEET, "<sheetData>", "<sheetData>" + "<row>" + "<c/>" * 2_000_000 + "</row>"
    )
    assert len(bomb) < 50_000
    with pytest.raises(Problem, match="too_large"):
        read(bomb)
