"""What the templates need beyond Django's own tags: names and sentences for people, and safe links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from conversations.assistants import registry
from conversations.files import pictures
from conversations.models import Run

register = template.Library()

ASSISTANTS = {
    "guide": (gettext_noop("Guide"), gettext_noop("Knows this product, and says where it is written")),
    "openai": (gettext_noop("AI model"), gettext_noop("Answers anything, with a language model")),
}
REPORT_TEMPLATES = {
    "transcript": gettext_noop("Transcript"),
    "summary": gettext_noop("Summary"),
    "batch": gettext_noop("Questions and answers"),
}
STEPS = {
    "retrieval": gettext_noop("Looked it up"),
    "tool": gettext_noop("Used a tool"),
    "thought": gettext_noop("Thought"),
    "plugin": gettext_noop("Used a plugin"),
}
STEP_NAMES = {
    "documentation": gettext_noop("documentation"),
    "recall": gettext_noop("earlier messages"),
    "batch": gettext_noop("questions"),
    "report": gettext_noop("report"),
}
ERRORS = {
    "assistant_error": gettext_noop("The assistant failed unexpectedly."),
    "assistant_unknown": gettext_noop("This assistant is not there any more."),
    "assistant_not_built": gettext_noop("This assistant could not be set up; try again later."),
    "assistant_timeout": gettext_noop("The assistant did not answer in time."),
    "assistant_busy": gettext_noop("This assistant has too much to do; try again later."),
    "assistant_suspended": gettext_noop("This assistant failed too often, and is left alone for a while."),
    "tool_unknown": gettext_noop("A tool of this assistant is not there any more."),
    "tool_rounds": gettext_noop("The model called its tools without coming to an end."),
    "connector_unreachable": gettext_noop("What this assistant asks cannot be reached."),
    "connector_timeout": gettext_noop("The assistant did not answer in time."),
    "connector_refused": gettext_noop("What this assistant asks did not accept us."),
    "connector_not_authorised": gettext_noop("Allow this first, on the page of your connections."),
    "connector_rejected": gettext_noop("What this assistant asks rejected the request."),
    "connector_busy": gettext_noop("This assistant has too much to do; try again later."),
    "connector_error": gettext_noop("What this assistant asks has an error."),
    "connector_document": gettext_noop("This assistant could not be set up; try again later."),
    "connector_answer": gettext_noop("What this assistant asks gave no answer that can be read."),
    "plugin_failed": gettext_noop("The assistant failed unexpectedly."),
    "worker_lost": gettext_noop("The server that wrote this answer stopped working."),
    "provider_timeout": gettext_noop("The model did not answer in time."),
    "provider_unreachable": gettext_noop("The model cannot be reached."),
    "provider_error": gettext_noop("The model or its provider has an error."),
    "provider_rejected": gettext_noop("The model's provider rejected the request."),
    "provider_refused": gettext_noop("The model's provider refused our key."),
    "provider_busy": gettext_noop("The model's provider has too much to do; try again later."),
    "too_large": gettext_noop("The answer became too long."),
}


@register.filter
def assistant_name(name: str | None) -> str:
    """What an assistant is called on the page; those that we do not know go by their own name."""
    if not name:
        return ""
    return _(ASSISTANTS[name][0]) if name in ASSISTANTS else name.replace("_", " ").capitalize()


@register.filter
def assistant_about(name: str) -> str:
    """One line that tells people what to expect."""
    return _(ASSISTANTS[name][1]) if name in ASSISTANTS else registry.description(name)


@register.filter
def report_template_name(key: str) -> str:
    """What a template of ours is called on the page."""
    return _(REPORT_TEMPLATES[key]) if key in REPORT_TEMPLATES else key


@register.filter
def step_label(step: dict[str, Any]) -> str:
    kind = str(step["kind"])
    return _(STEPS[kind]) if kind in STEPS else kind


@register.filter
def step_name(step: dict[str, Any]) -> str:
    name = str(step["name"])
    return _(STEP_NAMES[name]) if name in STEP_NAMES else name


@register.filter
def error_sentence(error: dict[str, Any] | None) -> str:
    """Why an answer failed, in the reader's language where the code is one that we know."""
    if not error:
        return ""
    known = ERRORS.get(error["code"])
    return _(known) if known else str(error["message"])


@register.filter
def links(sources: Any) -> list[dict[str, str]]:
    """`{title, url}` of the sources of a step; `url` only where it leads to a web page or to a page of ours."""
    found = sources if isinstance(sources, list) else []
    return [{"title": _source_name(one), "url": _source_url(one)} for one in found if isinstance(one, dict)]


@register.filter
def is_picture(part: dict[str, Any]) -> bool:
    """Whether the page shows a file as a picture: no kind that could hold a script, and none that is slow to load."""
    return part["mime"] in pictures.TYPES and part["size"] <= pictures.MAX_BYTES


@register.simple_tag
def file_max_bytes() -> int:
    return int(settings.FILE_MAX_BYTES)


@register.simple_tag
def files_per_message() -> int:
    return int(settings.FILES_PER_MESSAGE)


@register.filter
def place_of(runs: Sequence[Run], run: str) -> int:
    """Which one a run is among those that have not ended and wait for their turn, the next one being 1; 0 for none."""
    queued = [str(one.id) for one in runs if one.status == Run.Status.QUEUED]
    return queued.index(run) + 1 if run in queued else 0


@register.filter
def moment(text: str) -> datetime:
    """The time that an RFC 3339 text says."""
    return datetime.fromisoformat(text)


def _source_name(source: dict[str, Any]) -> str:
    return str(source.get("title") or source.get("name") or source.get("url") or "?")


def _source_url(source: dict[str, Any]) -> str:
    """`url`, or the address of a `page` of our documentation, at its `anchor`."""
    page, anchor = source.get("page"), source.get("anchor")
    if isinstance(page, str) and page:
        return reverse("documentation_page", args=[page]) + (f"#{quote(str(anchor))}" if anchor else "")
    return _web(source.get("url"))


def _web(url: Any) -> str:
    if not isinstance(url, str) or "\\" in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    own = not parts.scheme and not parts.netloc and url.startswith("/")
    return url if own or parts.scheme in ("http", "https") else ""
