"""Checks on input that several verbs share. Each raises Problem with a code of the registry."""

import unicodedata
from hashlib import sha256
from typing import Any

from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import clean_object, is_well_formed
from conversations.assistants import registry

CMID_MAX_LENGTH = 120
GIVEN_ROLES = ("editor", "agent", "viewer")


def clean_text(text: Any, *, required: bool = True) -> str:
    """The text of a message: well-formed Unicode without NUL, at most MESSAGE_MAX_LENGTH code points; where
    `required`, not blank."""
    if not isinstance(text, str) or (required and not text.strip()) or "\0" in text:
        raise Problem("invalid", errors={"text": ["This must be text that is not blank, without NUL characters."]})
    if len(text) > settings.MESSAGE_MAX_LENGTH:
        raise Problem("too_large", f"A message has at most {settings.MESSAGE_MAX_LENGTH} characters.")
    return _well_formed("text", text)


def clean_title(title: Any) -> str | None:
    if title is None or title == "":
        return None
    if not isinstance(title, str) or len(title) > settings.TITLE_MAX_LENGTH:
        limit = settings.TITLE_MAX_LENGTH
        raise Problem("invalid", errors={"title": [f"A title is text of at most {limit} characters."]})
    return _well_formed("title", "".join(c for c in title if unicodedata.category(c) != "Cc").strip()) or None


def clean_reason(reason: Any) -> str | None:
    """Why a person is asked for: text of at most REASON_MAX_LENGTH code points, or None."""
    if reason is None or reason == "":
        return None
    if not isinstance(reason, str) or "\0" in reason or len(reason) > settings.REASON_MAX_LENGTH:
        limit = settings.REASON_MAX_LENGTH
        raise Problem("invalid", errors={"reason": [f"A reason is text of at most {limit} characters."]})
    return _well_formed("reason", reason.strip()) or None


def clean_cmid(cmid: Any) -> str:
    if not isinstance(cmid, str) or not 0 < len(cmid) <= CMID_MAX_LENGTH or not cmid.isprintable():
        raise Problem("invalid", errors={"cmid": [f"A cmid is printable text of 1 to {CMID_MAX_LENGTH} characters."]})
    return cmid


def as_cmid(route: str, key: str | None) -> str | None:
    """The cmid that an Idempotency-Key stands for, where the client gave none; hashed where it would be too long."""
    if key is None:
        return None
    cmid = f"{route}:{key}"
    return cmid if len(cmid) <= CMID_MAX_LENGTH else f"key:{sha256(cmid.encode()).hexdigest()}"


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


def clean_metadata(value: Any) -> dict[str, Any]:
    return clean_object("metadata", value, settings.METADATA_MAX_BYTES)


def clean_tags(tags: Any) -> list[str]:
    if not isinstance(tags, list) or len(tags) > 50 or not all(_is_tag(tag) for tag in tags):
        raise Problem("invalid", errors={"tags": ["A list of at most 50 words of 1 to 50 characters."]})
    return list(dict.fromkeys(tags))


def _is_tag(tag: Any) -> bool:
    return isinstance(tag, str) and 0 < len(tag) <= 50 and tag.isprintable()


def _well_formed(field: str, text: str) -> str:
    if not is_well_formed(text):
        raise Problem("invalid", errors={field: ["The text has a lone surrogate; send well-formed Unicode."]})
    return text
