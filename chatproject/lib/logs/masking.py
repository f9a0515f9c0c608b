"""What no log may hold, taken out of whatever is logged: by whom it is said or how does not matter."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chatproject.lib.addresses import shortened

MASK = "***"
# Fields that are never logged, also not inside of others.
SECRET_FIELDS = re.compile(
    r"authorization|cookie|token|ticket|secret|passw|api.?key|sec-websocket-protocol|^(body|text|prompt|content)$", re.I
)
# An e-mail address, or a connection string with its password: any word that holds an @.
WITH_AT = re.compile(r"\S*@\S*")
# `password=…`, `"token": "…"`, `Authorization: Bearer …`
NAMED = re.compile(
    r"""(?ix)\b([\w-]*(?:authorization|cookie|token|ticket|secret|password|passwd|api_?key)["']?\s*[=:]\s*)
    (?:"[^"]*"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s"',;&]+)"""
)
BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}")
# JSON Web Tokens, our own API keys, and what looks like a random secret; ids of 36 characters do not.
TOKENS = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|\bck_[\w-]+|(?<![\w-])[\w-]{40,}(?![\w-])")
ADDRESSES = re.compile(
    r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*[0-9a-fA-F])(?!\w)"
)
LOOPBACK = ("127.", "0.0.0.0", "::1")  # noqa: S104  nothing is bound to it here


def masked(text: str) -> str:
    """`text` without secrets, and without the last octet of addresses."""
    if "@" in text:
        text = WITH_AT.sub(MASK, text)
    text = NAMED.sub(rf"\1{MASK}", text)
    text = BEARER.sub(rf"\1 {MASK}", text)
    text = TOKENS.sub(_token, text)
    return ADDRESSES.sub(_address, text)


def clean(value: Any) -> Any:
    """`value`, of whatever kind, as it may be logged."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {key: MASK if SECRET_FIELDS.search(str(key)) else clean(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [clean(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return MASK if isinstance(value, bytes) else masked(str(value))


def _token(found: re.Match[str]) -> str:
    """Long names in code are no secrets: those mix digits and both cases."""
    text = found[0]
    if text.startswith(("eyJ", "ck_")) or (
        any(map(str.isdigit, text)) and any(map(str.isupper, text)) and any(map(str.islower, text))
    ):
        return MASK
    return text


def _address(found: re.Match[str]) -> str:
    text = found[0]
    return text if text.startswith(LOOPBACK) else shortened(text) or text
