"""What a page's forms send. Services check the content; here is only what belongs to a form.

Each form carries a `once` made with the page. It becomes the request's key together with the text, so that a
form that is sent twice is written once, and one that is sent again after going back with another text is new.
"""

import hashlib
from typing import Any
from uuid import UUID

from django import forms

from chatproject.lib.ids import parse_id
from conversations.assistants.defaults import default_assistant
from conversations.models import Batch, Report
from conversations.services import reports, reporttemplates, shares
from conversations.services.batches import Wish


class ComposerForm(forms.Form):
    """A message; `assistant` where a conversation begins, `suggestion` where one of ours was pressed."""

    message = forms.CharField(required=False, strip=False)
    suggestion = forms.CharField(required=False)
    assistant = forms.CharField(required=False)
    temporary = forms.BooleanField(required=False)
    on_busy = forms.CharField(required=False, max_length=16)
    once = forms.CharField(required=False, max_length=64)

    @property
    def text(self) -> str:
        """What was said, with the newlines that browsers send turned into one character again."""
        text = self.cleaned_data["suggestion"] or self.cleaned_data["message"]
        return str(text).replace("\r\n", "\n")

    @property
    def key(self) -> str | None:
        once = self.cleaned_data["once"]
        return f"{once}:{hashlib.sha256(self.text.encode()).hexdigest()[:16]}" if once else None

    @property
    def chosen(self) -> str:
        return str(self.cleaned_data["assistant"]) or default_assistant()


class BatchForm(forms.Form):
    """Questions, one per line, unless a file comes with it."""

    questions = forms.CharField(required=False, strip=False)
    title = forms.CharField(required=False)
    assistant = forms.CharField(required=False)
    per_conversation = forms.ChoiceField(required=False, choices=Batch.Where.choices)
    once = forms.CharField(required=False, max_length=64)

    @property
    def wish(self) -> Wish:
        given = self.cleaned_data
        assistant = given["assistant"] or default_assistant()
        return Wish(assistant=assistant, per_conversation=given["per_conversation"] or None, title=given["title"])

    @property
    def key(self) -> str | None:
        return self.cleaned_data["once"] or None


class ReportForm(forms.Form):
    """What is to be reported, and as what."""

    template = forms.SlugField(max_length=64)
    format = forms.ChoiceField(choices=Report.Form.choices)
    conversations = forms.TypedMultipleChoiceField(required=False, coerce=UUID)
    batch = forms.UUIDField(required=False)
    assistant = forms.CharField(required=False)
    title = forms.CharField(required=False)
    once = forms.CharField(required=False, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Which there are is for the service to say.
        self.fields["conversations"].valid_value = lambda value: parse_id(value) is not None  # type: ignore[attr-defined]

    @property
    def wish(self) -> reports.Wish:
        given = self.cleaned_data
        return reports.Wish(
            template=given["template"],
            form=given["format"],
            assistant=given["assistant"] or default_assistant(),
            conversations=given["conversations"],
            batch=given["batch"],
            title=given["title"],
        )

    @property
    def given(self) -> dict[str, Any]:
        """What was filled in, as the page shows it again."""
        ids = [str(id_) for id_ in self.cleaned_data["conversations"]]
        given = self.cleaned_data
        return {**given, "conversations": ids, "batch": str(given["batch"] or ""), "form": given["format"]}


class ReportTemplateForm(forms.Form):
    """A template beside its file."""

    key = forms.SlugField(max_length=64)
    name = forms.CharField(required=False, max_length=100)

    def given(self, content: bytes) -> reporttemplates.Given:
        key = self.cleaned_data["key"]
        return reporttemplates.Given(key=key, name=self.cleaned_data["name"] or key, content=content)


class ShareForm(forms.Form):
    """A link to a report."""

    expires_in = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    max_views = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    password = forms.CharField(required=False, max_length=128, strip=False)

    @property
    def wish(self) -> shares.Wish:
        return shares.Wish(**{**self.cleaned_data, "password": self.cleaned_data["password"] or None})


class StopForm(forms.Form):
    run = forms.UUIDField()


class AnswerForm(forms.Form):
    """Which question is answered, and whether a script asks; what is answered is a form of its own (askforms.py)."""

    run = forms.UUIDField()
    step = forms.CharField(max_length=64)
    partial = forms.BooleanField(required=False)


class QueuedForm(forms.Form):
    run = forms.UUIDField()
    text = forms.CharField(required=False, strip=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(required=False, strip=False)


class TitleForm(forms.Form):
    title = forms.CharField(required=False)


class ReadForm(forms.Form):
    seq = forms.IntegerField(min_value=0, max_value=2**62)


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=[("archived", "archived"), ("open", "open")])


class StateForm(forms.Form):
    """The number of the event after which a conversation was in a state."""

    seq = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class PlaceForm(forms.Form):
    """Where in a thread or in the list a page is to begin."""

    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    after = forms.CharField(required=False, max_length=100)


class EraseForm(forms.Form):
    """The tick that says that somebody means it."""

    sure = forms.BooleanField()
