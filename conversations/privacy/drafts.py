"""The one place where what is stored is screened: every draft of an event before it is sealed and numbered, and
the little that is stored beside the log."""

import logging
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from conversations import event_types
from conversations.privacy.redaction import MARK, Search

log = logging.getLogger(__name__)

# Stored in clear, and screened like what is stored in envelopes.
OPEN_FIELDS = ("metadata", "tags")
# What assistants write cannot be refused: nobody is there to write it anew. It is redacted instead.
NEVER_REFUSED = ("run:step", "run:ask", "run:end")


class Refused(Problem):
    """Something that must not be kept stands in these fields."""

    sentence = _(
        "This looks like it holds the number of a payment card, a social security number or something else that"
        " is not kept here; take it out and send it again."
    )

    def __init__(self, fields: Sequence[str]) -> None:
        sentence = gettext(self.sentence)
        super().__init__("invalid", sentence, errors={name: [sentence] for name in fields})


def screened(type_: str, data: dict[str, Any]) -> dict[str, Any]:
    """`data` of an event under PRIVACY_POLICY: `store` marks it `sensitive`; `redact` takes out what was found
    and marks it `redacted` too. Raises Refused (`invalid`) where a person should take it out.
    """
    search = Search()
    texts = {*event_types.EVENT_TYPES[type_].secret, *OPEN_FIELDS} & data.keys()
    clean = {name: search.value(data[name]) for name in texts}
    if not search.found:
        return data
    policy = _policy(type_)
    _note(search, type_, policy)
    if policy == "refuse":
        raise Refused([name for name in data if name in texts and clean[name] != data[name]])
    return {**data, **clean, "redacted": True, "sensitive": True} if policy == "redact" else {**data, "sensitive": True}


def kept(what: str, **fields: Any) -> dict[str, Any]:
    """What is stored beside the log, under PRIVACY_POLICY: texts, or JSON with texts in it. Raises Refused."""
    search = Search()
    clean = {name: search.value(value) for name, value in fields.items()}
    if not search.found:
        return fields
    _note(search, what, settings.PRIVACY_POLICY)
    if settings.PRIVACY_POLICY == "refuse":
        raise Refused([name for name in fields if clean[name] != fields[name]])
    return clean if settings.PRIVACY_POLICY == "redact" else fields


def marks_of_stored(text: str) -> dict[str, bool]:
    """The marks of an event whose text was screened on its way into our store."""
    if settings.PRIVACY_POLICY == "store":
        search = Search()
        search.text(text)
        return {"sensitive": True} if search.found else {}
    return {"redacted": True, "sensitive": True} if MARK in text else {}


def _policy(type_: str) -> str:
    policy: str = settings.PRIVACY_POLICY
    return "redact" if policy == "refuse" and type_ in NEVER_REFUSED else policy


def _note(search: Search, type_: str, policy: str) -> None:
    for name, times in search.found.items():
        metrics.privacy_findings.labels(name, policy).inc(times)
        log.info("%s: %d × %s, policy %s", type_, times, name, policy)
