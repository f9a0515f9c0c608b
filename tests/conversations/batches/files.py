"""Files of questions, and what comes back."""

import io
import zipfile
from collections.abc import Sequence
from typing import Any

import openpyxl

from tests.api import BOUNDARY, Answer, Api


def workbook(*lines: Sequence[Any]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(list(line))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def changed(content: bytes, part: str, old: str, new: str) -> bytes:
    """An office file with something else in one of its parts."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            assert name != part or old.encode() in data
            after.writestr(name, data.replace(old.encode(), new.encode(), 1) if name == part else data)
    return written.getvalue()


def upload(api: Api, content: bytes, name: str, **fields: str) -> Answer:
    """POST batches/, as a form does."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    form = "".join([*parts, head]).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return api.request("POST", "batches/", form, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
