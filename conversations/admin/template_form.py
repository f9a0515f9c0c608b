"""The form of a template: texts in text fields, variables in the rows of a table."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from chatproject.lib.errors import Problem
from conversations.assistants import registry
from conversations.models import Template
from conversations.templating import cleaning

# A line with this alone stands between two messages.
BETWEEN = "---"
TYPES = [
    ("text", _("text")),
    ("number", _("number")),
    ("choice", _("choice")),
    ("date", _("date")),
    ("boolean", _("yes or no")),
]
EMPTY_ROWS = 2


class Messages(forms.CharField):
    """Texts, with a line of BETWEEN between them."""

    def prepare_value(self, value: Any) -> Any:
        return f"\n{BETWEEN}\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = str(super().clean(value)).replace("\r\n", "\n").split("\n")
        texts: list[list[str]] = [[]]
        for line in lines:
            texts = [*texts, []] if line.strip() == BETWEEN else [*texts[:-1], [*texts[-1], line]]
        return [text for text in ("\n".join(one).strip() for one in texts) if text]


class Words(forms.CharField):
    """Words, with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:
        return [word for word in (word.strip() for word in str(super().clean(value)).split(",")) if word]


class VariableForm(forms.Form):
    """A row of the table; what stays empty is left out."""

    name = forms.CharField(label=_("name"), widget=UnfoldAdminTextInputWidget())
    type = forms.ChoiceField(label=_("type"), choices=TYPES, widget=UnfoldAdminSelectWidget())
    label = forms.CharField(label=_("label"), required=False, widget=UnfoldAdminTextInputWidget())
    required = forms.BooleanField(label=_("required"), required=False, initial=True, widget=UnfoldBooleanWidget())
    default = forms.CharField(label=_("default"), required=False, widget=UnfoldAdminTextInputWidget())
    choices = Words(label=_("choices, with commas"), required=False, widget=UnfoldAdminTextInputWidget())
    max_length = forms.IntegerField(label=_("longest"), required=False, widget=UnfoldAdminIntegerFieldWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """The heads of the columns are labels for the eye; these are for who hears them."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def variable(self) -> dict[str, Any]:
        """As the API takes it."""
        given = {**self.cleaned_data, "default": self.cleaned_data["default"] or None}
        if given["type"] == "boolean" and given["default"]:
            given["default"] = given["default"].lower() in ("yes", "true", "1")
        return {name: value for name, value in given.items() if name in self.base_fields}


VariableTable = forms.formset_factory(VariableForm, extra=EMPTY_ROWS, can_delete=True)


class TemplateForm(forms.ModelForm):
    """`given` is what the verbs take, once the form is valid."""

    assistant = forms.ChoiceField(label=_("Assistant"), required=False, widget=UnfoldAdminSelectWidget())
    system = Messages(
        label=_("System messages"),
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6}),
        help_text=_("For the assistant. A line --- begins the next one; {{ name }} stands for a variable."),
    )
    pinned = Messages(
        label=_("Pinned messages"),
        required=False,
        widget=UnfoldAdminTextareaWidget({"rows": 6}),
        help_text=_("Said by whoever begins the conversation, and kept in every context."),
    )
    tags = Words(label=_("Tags"), required=False, widget=UnfoldAdminTextInputWidget(), help_text=_("With commas."))
    metadata = forms.JSONField(label=_("Metadata"), required=False, widget=UnfoldAdminTextareaWidget({"rows": 6}))

    class Meta:
        model = Template
        fields = ("name", "slug", "description", "title", "assistant", "system", "pinned", "tags", "metadata",
                  "active", "visibility")  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assistant"].choices = [("", "—"), *((name, name) for name in registry.available())]  # type: ignore[attr-defined]
        rows = self.instance.variables if self.instance else []
        self.table = VariableTable(self.data if self.is_bound else None, initial=rows, prefix="variables")

    def clean(self) -> dict[str, Any]:
        """What the verbs would refuse is refused here, at its field."""
        cleaned = super().clean() or self.cleaned_data
        if not self.table.is_valid():
            raise forms.ValidationError(_("Something is wrong with the variables."))
        rows = [*self.table.initial_forms, *(row for row in self.table.extra_forms if row.has_changed())]
        asked = [row.variable() for row in rows if row not in self.table.deleted_forms]
        self.given = {**cleaned, "metadata": cleaned.get("metadata") or {}, "variables": asked}
        try:
            cleaning.fill(Template(), self.given)
        except Problem as problem:
            for field, sentences in (problem.errors or {"": [problem.detail]}).items():
                self.add_error(field if field in self.fields else None, sentences)
        return cleaned

    def has_changed(self) -> bool:
        return super().has_changed() or self.table.has_changed()
