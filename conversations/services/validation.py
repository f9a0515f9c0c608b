"""Checks on input that several verbs share. Each raises Problem with a code of the registry."""

import unicodedata
from typing import Any

import msgspec
from django.conf import settings

from chatproject.lib.errors import Problem
from conversations.assistants import registry

CMID_MAX_LENGTH = 120
GIVEN_ROLES = ("editor", "agent", "viewer")
MAX_DEPTH = 20
MAX_KEYS = 100


def clean_text(text: Any) -> str:
    """The text of a message: well-formed Unicode, not blank, at most MESSAGE_MAX_LENGTH code points."""
    if not isinstance(text, str) or not text.strip():
        raise Problem("invalid", errors={"text": ["This field may not be blank."]})
    if len(text) > settings.MESSAGE_MAX_LENGTH:
        raise Problem("too_large", f"A message has at most {settings.MESSAGE_MAX_LENGTH} characters.")
    return _well_formed("text", text)


def clean_title(title: Any) -> str | None:
    if title is None or title == "":
        return None
    if not isinstance(title, str) or len(title) > settings.TITLE_MAX_LENGTH:
        limit = settings.TITLE_MAX_LENGTH
        raise Problem("invalid", errors={"title": [f"A title is text of at most {limit} characters."]})
    return _well_formed("title", "".join(c for c in title if unicodedata.category(c) != "Cc").strip())


def clean_cmid(cmid: Any) -> str:
    if not isinstance(cmid, str) or not 0 < len(cmid) <= CMID_MAX_LENGTH or not cmid.isprintable():
        raise Problem("invalid", errors={"cmid": [f"A cmid is printable text of 1 to {CMID_MAX_LENGTH} characters."]})
    return cmid


def clean_assistant(name: Any) -> str | None:
    """The name of an assistant that is offered here, or None."""
    if name is None or name == "":
        return None
    if not isinstance(name, str) or name not in registry.available():
        raise Problem("invalid", errors={"assistant": ["There is no assistant of this name."]})
    return name


def clean_role(role: Any) -> str:
    """A role that can be given: ownership is not."""
    if role not in GIVEN_ROLES:
        raise Problem("invalid", errors={"role": [f"One of {', '.join(GIVEN_ROLES)}."]})
    return str(role)


def clean_json(field: str, value: Any) -> dict[str, Any]:
    """A JSON object that fits METADATA_MAX_BYTES, MAX_DEPTH and MAX_KEYS, without NUL characters."""
    if not isinstance(value, dict):
        raise Problem("invalid", errors={field: ["This must be a JSON object."]})
    if depth(value) > MAX_DEPTH or len(value) > MAX_KEYS:
        raise Problem("invalid", errors={field: [f"At most {MAX_DEPTH} levels and {MAX_KEYS} keys."]})
    encoded = msgspec.json.encode(value)
    if len(encoded) > settings.METADATA_MAX_BYTES:
        raise Problem("too_large", f"{field} has at most {settings.METADATA_MAX_BYTES} bytes.")
    if b"\\u0000" in encoded:
        raise Problem("invalid", errors={field: ["NUL characters are not allowed."]})
    return value


def clean_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or len(tags) > 50 or not all(_is_tag(tag) for tag in tags):
        raise Problem("invalid", errors={"tags": ["A list of at most 50 words of 1 to 50 characters."]})
    return list(dict.fromkeys(tags))


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, str) and 0 < len(tag) <= 50 and tag.isprintable()


def _well_formed(field: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Problem(
            "invalid", errors={field: ["The text has a lone surrogate; send well-formed Unicode."]}
        ) from error
    return text


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((depth(item) for item in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((depth(item) for item in value), default=0)
    return 0
