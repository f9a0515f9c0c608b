"""What a page's forms send. Services check the content; here is only what belongs to a form.

Each form carries a `once` made with the page. It becomes the request's key together with the text, so that a
form that is sent twice is written once, and one that is sent again after going back with another text is new.
"""

import hashlib

from django import forms
from django.conf import settings

from conversations.assistants import registry
from conversations.models import Batch
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


def default_assistant() -> str:
    """The one of DEFAULT_ASSISTANT where it can answer here, else the first that can."""
    offered = registry.available()
    return settings.DEFAULT_ASSISTANT if settings.DEFAULT_ASSISTANT in offered else offered[0]


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
