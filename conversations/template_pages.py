"""The page that begins a conversation from a template: asks for what it needs, and opens the conversation."""

import hashlib

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import pages, selectors
from conversations.assistants.defaults import default_assistant
from conversations.models import Template
from conversations.services import conversations
from conversations.templating import inputs, variables
from conversations.templating.inputs import InputForm
from conversations.views import Page

# In front of the names of the form's fields, which staff choose.
PREFIX = "given"


class BeginView(Page):
    """What is asked for is kept where something is wrong with it."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        template = self.template(slug)
        return self._page(template, form_of(template))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        template = self.template(slug)
        form = form_of(template, request)
        if not form.is_valid():
            return self._page(template, form, status=400)
        try:
            begun = conversations.create(
                user=self.user,
                template=template.slug,
                inputs=form.inputs(),
                assistant=None if template.assistant else default_assistant(),
                idempotency_key=self._key(form),
            )
            return redirect("thread", begun.result().conversation.id)
        except conversations.AlreadyCreated as before:
            return redirect("thread", before.conversation)
        except Problem as problem:
            return self._page(template, form, problem, problem.code.status)

    def template(self, slug: str) -> Template:
        return selectors.template_for(self.user, slug, to_begin=True)

    def _key(self, form: InputForm) -> str | None:
        """One conversation for a form that is sent twice; a new one where it is sent again with something else."""
        once = self.request.POST.get("once", "")[:64]
        given = hashlib.sha256(msgspec.json.encode(form.inputs(), order="sorted")).hexdigest()[:16]
        return f"{once}:{given}" if once else None

    def _page(
        self, template: Template, form: InputForm, problem: Problem | None = None, status: int = 200
    ) -> HttpResponse:
        context = {
            "list": pages.conversation_list(self.user),
            "template": template,
            "form": form,
            "once": new_id(),
            "problem": problem,
        }
        return self.render("begin", context, status)


def form_of(template: Template, request: HttpRequest | None = None) -> InputForm:
    """What a template asks for, with what was sent."""
    kind = inputs.form_class(variables.of(template.variables))
    return kind(request.POST if request else None, prefix=PREFIX)
