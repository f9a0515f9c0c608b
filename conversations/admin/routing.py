"""Trying a router out: which assistant would get a text, and why."""

from typing import Any

from django import forms
from django.contrib.admin.sites import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from chatproject.lib.errors import Problem
from conversations.assistants.composing import trying
from conversations.assistants.composing.routing import Question
from conversations.services.validation import clean_metadata, clean_text


class RoutingForm(forms.Form):
    """What is imagined."""

    router = forms.ChoiceField(label=_("Router"))
    text = forms.CharField(label=_("Text"), widget=forms.Textarea(attrs={"rows": 3}), strip=False)
    metadata = forms.JSONField(
        label=_("Metadata"), required=False, initial=dict, widget=forms.Textarea(attrs={"rows": 2})
    )
    template = forms.SlugField(label=_("Template"), required=False)
    ask = forms.BooleanField(label=_("Ask models"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["router"].choices = [(name, name) for name in trying.routers()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        try:
            given["question"] = Question(
                clean_text(given.get("text", "")),
                clean_metadata(given.get("metadata") or {}),
                given.get("template", ""),
            )
        except Problem as problem:
            for name, texts in (problem.errors or {"text": [problem.detail]}).items():
                self.add_error(name, texts)
        return given


def routing_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """A form, and what came of it: a POST, since texts do not belong into addresses. Nothing is written."""
    form = RoutingForm(request.POST or None)
    found = None
    if form.is_valid():
        given = form.cleaned_data
        found = trying.dry_run(given["router"], given["question"], ask=given["ask"])
    context = {**site.each_context(request), "title": _("Which assistant answers"), "form": form, "found": found}
    return TemplateResponse(request, "admin/conversations/run/routing.html", context)
