"""Earlier states of a conversation, for staff: look at them, compare two, go back, take one now, verify."""

import difflib
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.admin import reading
from conversations.admin.acting import attempt, staff_of
from conversations.models import Conversation, Snapshot
from conversations.services import integrity, restoring, snapshots, staff

PAGE = "admin:conversations_conversation_timetravel"
TEMPLATE = "admin/conversations/conversation/timetravel.html"
CHANGE = "conversations.change_conversation"
LISTED = 50


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """The pages of one conversation, for staff who may see or change it."""
    acts: tuple[tuple[str, Any], ...] = (("snapshot", take), ("verify", verify), ("restore", restore))
    name = "conversations_conversation_timetravel"
    return [
        path("<uuid:id>/timetravel/", site.admin_view(require_GET(page)), name=name),
        *(path(f"<uuid:id>/{act}/", site.admin_view(require_POST(view)), name=f"{name}_{act}") for act, view in acts),
    ]


def page(request: HttpRequest, id: UUID) -> HttpResponse:
    """Stored snapshots; the state after `?seq=`; and how it differs from the one after `?with=`."""
    row = _conversation(request, id, "conversations.view_conversation")
    readable = reading.may_read(request)
    wanted = [_number(request.GET.get(name), row.last_seq) for name in ("seq", "with")]
    shown: dict[str, Any] = {}
    if readable and wanted[0]:
        asked = [seq for seq in wanted if seq]
        staff.record_reading(staff=staff_of(request), conversation=row.id, what=f"states {asked}")
        shown = _states(row, asked)
    context = {
        **admin.site.each_context(request),
        "original": row,
        "readable": readable,
        "may_change": request.user.has_perm(CHANGE),
        "snapshots": Snapshot.objects.filter(conversation=row).defer("state").order_by("-seq")[:LISTED],
        "seq": wanted[0],
        "other": wanted[1],
        **shown,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _states(row: Conversation, asked: list[int]) -> dict[str, Any]:
    try:
        found = [selectors.snapshot_at(row, seq) for seq in asked]
    except Problem as problem:
        return {"problem": problem.detail}
    shown: dict[str, Any] = {"state": found[0]["state"], "reason": found[0]["reason"]}
    if len(found) == 2:
        first, second = (_blocks(one["state"]) for one in found)
        shown["difference"] = list(_compared(first, second))
    return shown


def _compared(first: list[str], second: list[str]) -> Iterator[str]:
    """The lines of both, those of `first` alone after `- `, those of `second` alone after `+ `.

    Block by block, of which there are few: `difflib.ndiff` takes minutes for long texts that differ.
    """
    for tag, i, j, k, n in difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from _marked("  ", first[i:j])
        else:
            yield from _marked("- ", first[i:j])
            yield from _marked("+ ", second[k:n])


def _marked(mark: str, blocks: list[str]) -> Iterator[str]:
    return (mark + line for block in blocks for line in block.splitlines())


def _blocks(state: dict[str, Any]) -> list[str]:
    """A state as texts that can be compared: attributes, members, then what is shown of each message."""
    about = [f"{name}: {reading.pretty(value)}" for name, value in state["conversation"].items()]
    members = [f"{one['user']['name']}: {one['role']}" for one in state["members"]]
    said = [
        f"{one['seq']} {one['author']['name']}{'' if one['selected'] else ' (not chosen)'}: {one['text']}"
        for one in state["messages"]
        if one["status"] not in ("hidden", "deleted")
    ]
    return [*about, *members, *said]


def take(request: HttpRequest, id: UUID) -> HttpResponse:
    return _act(request, id, lambda row: snapshots.take(conversation=row.id), gettext("A snapshot was taken."))


def restore(request: HttpRequest, id: UUID) -> HttpResponse:
    """To the state after `seq` of the form."""

    def act(row: Conversation) -> None:
        seq = _number(request.POST.get("seq"), row.last_seq) or 0
        restoring.restore_as_staff(staff=staff_of(request), conversation=row.id, to_seq=seq).result()

    return _act(request, id, act, gettext("The messages are again what they were."))


def verify(request: HttpRequest, id: UUID) -> HttpResponse:
    """Compare log, rows and snapshots, and repair; the findings become messages on the page."""

    def act(row: Conversation) -> None:
        before = integrity.verify(conversation=row.id)
        for finding in before.findings[:LISTED]:
            messages.warning(request, str(finding))
        after = (
            integrity.verify(conversation=row.id, repair=True, staff=staff_of(request).id)
            if before.findings
            else before
        )
        messages.info(request, gettext("Score: %(score)s") % {"score": after.score})

    return _act(request, id, act, gettext("The conversation was verified."))


def _act(request: HttpRequest, id_: UUID, act: Callable[[Conversation], object], done: str) -> HttpResponse:
    row = _conversation(request, id_, CHANGE)
    if attempt(request, id_, lambda: act(row)):
        messages.success(request, done)
    return redirect(PAGE, id_)


def _conversation(request: HttpRequest, id_: UUID, permission: str) -> Conversation:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    row = Conversation.objects.filter(id=id_).first()
    if row is None:
        raise Http404
    return row


def _number(text: str | None, head: int) -> int | None:
    """A number of the log; None for anything else."""
    number = int(text[:18]) if text and text.isascii() and text.isdigit() else 0
    return number if 1 <= number <= head else None
