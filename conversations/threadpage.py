"""The page of one conversation."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import pages, standing
from conversations.assistants import registry
from conversations.forms import ComposerForm, PlaceForm
from conversations.permissions import Permission
from conversations.services import messages, reading
from conversations.templatetags.chat import assistant_name
from conversations.texts import TEXTS
from conversations.views import Page

# What the menu of a conversation offers to download it as.
EXPORT_FORMS = (("md", "Markdown"), ("json", "JSON"), ("jsonl", "JSONL"))


class ThreadPage(Page):
    """What is shown counts as read."""

    def page(
        self, heading: pages.Heading, before: int | None = None, problem: Problem | None = None, **more: Any
    ) -> HttpResponse:
        """The page, with `more` for its templates: the `text` of the composer, forms that are `filled`. `status` is
        that of the answer where there is no problem that has one."""
        status = problem.code.status if problem else more.pop("status", 200)
        thread = pages.thread(self.user, heading.id, before)
        reading.mark_read(user=self.user, conversation=heading.id, seq=heading.seq)
        context = {
            "heading": heading,
            "standing": standing.of(self.user, heading),
            "thread": thread,
            "forms": EXPORT_FORMS,
            "blanks": pages.blanks(),
            "list": pages.conversation_list(self.user),
            "names": {name: assistant_name(name) for name in registry.available()},
            "texts": TEXTS,
            "once": new_id(),
            "problem": problem,
            **more,
        }
        return self.render("thread", context, status)


class ThreadView(ThreadPage):
    permissions = {"GET": Permission.READ, "POST": Permission.SEND}
    limits = {"POST": "send"}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        return self.page(self.heading(id), self.filled(PlaceForm).cleaned_data["before"])

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        heading, form = self.heading(id), self.filled(ComposerForm)
        cmid, on_busy = form.key or str(new_id()), form.cleaned_data["on_busy"] or None
        try:
            messages.send(user=self.user, conversation=id, text=form.text, cmid=cmid, on_busy=on_busy).result()
        except Problem as problem:
            return self.page(heading, problem=problem, text=form.text)
        return redirect("thread", id)
