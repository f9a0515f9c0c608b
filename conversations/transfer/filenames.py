"""Names of files that are downloaded, made of titles that people chose."""

import re
import unicodedata

from django.utils.http import content_disposition_header

LENGTH = 80
# What no file system of ours takes, and what only breaks lines or turns the direction of writing.
_UNWANTED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_UNWANTED = re.compile(r'[<>:"/\\|?*\s]+')
# Windows keeps these for devices, whatever the extension.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def safe(title: str | None, extension: str) -> str:
    """A file name for `title` that every system takes; `conversation` where nothing of it is left."""
    text = "".join(c for c in unicodedata.normalize("NFC", title or "") if _wanted(c))
    stem = _UNWANTED.sub(" ", text)[:LENGTH].strip(" .")
    if not stem or _DEVICES.fullmatch(stem):
        stem = f"conversation {stem}".strip()
    return f"{stem}.{extension}"


def attachment(title: str | None, extension: str) -> str:
    """The header Content-Disposition (RFC 6266; names beyond ASCII by RFC 5987)."""
    return str(content_disposition_header(True, safe(title, extension)))


def _wanted(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in _UNWANTED_CATEGORIES
