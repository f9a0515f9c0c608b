"""What a file is, is found in it, whatever its name and its sender say."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.files.sniffing import UNKNOWN, sniff
from tests.conversations.files import samples

OFFICE = "application/vnd.openxmlformats-officedocument."


def office(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "type_"),
    [
        (samples.PNG, "a.png", "image/png"),
        (samples.PNG, "a.html", "image/png"),
        (samples.JPEG, "a", "image/jpeg"),
        (samples.WEBP, "a.webp", "image/webp"),
        (samples.GIF_THAT_IS_A_SCRIPT, "a.js", "image/gif"),
        (samples.PDF_THAT_IS_A_PAGE, "a.html", "application/pdf"),
        (samples.PE, "report.pdf", "application/vnd.microsoft.portable-executable"),
        (samples.ELF, "photo.png", "application/x-executable"),
        (b"MZ is a fine beginning of a letter", "a.txt", "text/plain"),
        (samples.SVG, "a.png", "image/svg+xml"),
        (b"\xef\xbb\xbf\n" + samples.SVG, "a.txt", "image/svg+xml"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg >", "a.txt", "image/svg+xml"),
        (samples.HTML, "a.txt", "text/html"),
        (b"  <ScRiPt>alert(1)</script>", "a.txt", "text/html"),
        (samples.HTML.decode().encode("utf-16"), "a.txt", "text/html"),
        (b"harmless", "a.html", "text/html"),
        (b"<?xml version='1.0'?><a/>", "a.txt", "application/xml"),
        (b"# Title", "README.md", "text/markdown"),
        (b"a,b\n1,2", "data.CSV", "text/csv"),
        (b'{"a": 1}', "data.json", "application/json"),
        (b"print(1)", "code.py", "text/plain"),
        ("会议记录".encode(), "会议.txt", "text/plain"),
        ("会议记录".encode("utf-16"), "会议.txt", "text/plain"),
        ("会议记录".encode("gbk"), "会议.txt", UNKNOWN),
        (b"text, then \0 a zero", "a.txt", UNKNOWN),
        (b"a" * 200_000 + b"\xff", "a.txt", UNKNOWN),
        (office("a.txt"), "a.docx", "application/zip"),
        (office("word/document.xml"), "a.zip", f"{OFFICE}wordprocessingml.document"),
        (office("xl/workbook.xml"), "a", f"{OFFICE}spreadsheetml.sheet"),
        (b"PK\x03\x04", "a.zip", "application/zip"),
        (b"\x00\x01\x02", "a.png", UNKNOWN),
    ],
)  # fmt: skip
def test_types(content: bytes, name: str, type_: str) -> None:
    assert sniff(io.BytesIO(content), name) == type_


@given(st.binary(max_size=300), st.text(max_size=20))
def test_anything_has_a_type(content: bytes, name: str) -> None:
    assert "/" in sniff(io.BytesIO(content), name)


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200).filter(
        lambda t: "\ufeff" not in t
    )
)
def test_text_in_any_language_is_text(text: str) -> None:
    found = sniff(io.BytesIO(b"Note: " + text.encode()), "a.txt")
    assert found == "text/plain"
