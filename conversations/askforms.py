"""What a run asks a person, as a form that works without JavaScript, and what was answered, for people to read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from conversations import askfields, asking

Json = dict[str, Any]

# As many options as these, none longer than that, are a row of buttons.
BUTTONS, BUTTON_LENGTH = 6, 40
YES, NO = "yes", "no"


class AskForm(forms.Form):
    """The answer to one question. `choice` is the button that was pressed, or the option that was chosen."""

    def __init__(self, step: Json, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id=f"ask-{step['step']}-%s", use_required_attribute=True)
        self.kind, self.schema = str(step["kind"]), step["schema"]
        self.fields |= _FIELDS[self.kind](self.schema)

    def answer(self) -> Any:
        """What was answered, as JSON; to be checked against the schema still."""
        return _ANSWERS[self.kind](self)

    def blame(self, errors: list[str]) -> None:
        """Show what the schema says against the answer, each at its field: `name: sentence`."""
        names = {name: key for key, name in self.names.items()}
        for error in errors:
            name, _colon, sentence = error.partition(": ")
            self.add_error(names.get(name.split(".")[0]), sentence or error)

    @property
    def names(self) -> dict[str, str]:
        """The property that each field of a form asks for; a question of another kind has one field, of no name."""
        return {f"f{n}": name for n, name in enumerate(_properties(self.schema))}


def _properties(schema: Json) -> dict[str, Json]:
    found = schema.get("properties") or {}
    return {name: one if isinstance(one, dict) else {} for name, one in found.items()}


def _choice_fields(schema: Json) -> dict[str, forms.Field]:
    given: Json = {"label": "", "initial": askfields.place_of(schema["enum"], schema.get("default"))}
    options = [(str(n), askfields.label(one)) for n, one in enumerate(schema["enum"])]
    return {"choice": forms.ChoiceField(choices=options, widget=forms.RadioSelect, **given)}


def _form_fields(schema: Json) -> dict[str, forms.Field]:
    required, found = schema.get("required", ()), _properties(schema)
    if not found:
        return {"json": askfields.field(_("Answer"), {}, required=True)}
    fields = ((name, askfields.field(name, one, required=name in required)) for name, one in found.items())
    return {f"f{n}": field for n, (_name, field) in enumerate(fields)}


_FIELDS: dict[str, Any] = {
    "approval": lambda schema: {"choice": forms.ChoiceField(choices=[(YES, ""), (NO, "")])},
    "choice": _choice_fields,
    "text": lambda schema: {"text": askfields.field(_("Answer"), {"type": "string", **_plain(schema)}, required=True)},
    "form": _form_fields,
}


def _plain(schema: Json) -> Json:
    """A text's own bounds; what is asked stands above the field."""
    return {name: schema[name] for name in ("maxLength", "minLength", "format", "default") if name in schema}


def _form_answer(form: AskForm) -> Any:
    if "json" in form.fields:
        return form.cleaned_data["json"]
    found = _properties(form.schema)
    given = {name: askfields.value(found[name], form.cleaned_data[key]) for key, name in form.names.items()}
    return {name: value for name, value in given.items() if value is not askfields.MISSING}


_ANSWERS: dict[str, Any] = {
    "approval": lambda form: form.cleaned_data["choice"] == YES,
    "choice": lambda form: form.schema["enum"][int(form.cleaned_data["choice"])],
    "text": lambda form: askfields.value({}, form.cleaned_data["text"]),
    "form": _form_answer,
}


@dataclass(frozen=True)
class Question:
    """What a run asked. `open` where it can be answered still, `by` who did; `answer` is that in lines of label and
    text, without labels but for forms."""

    run: str
    step: str
    kind: str
    title: str
    description: str
    open: bool
    form: AskForm
    by: str
    answer: list[tuple[str, str]]

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """Value and label of each, where pressing one answers."""
        if self.kind == "approval":
            return [(YES, _("Yes")), (NO, _("No"))]
        options = list(self.form.fields["choice"].choices) if self.kind == "choice" else []  # type: ignore[attr-defined]
        few = len(options) <= BUTTONS and all(len(label) <= BUTTON_LENGTH for _value, label in options)
        return options if few else []


def question(run: Json, step: Json, by: str = "", form: AskForm | None = None) -> Question:
    """Of a step of a run, both in their public form; `form` where it was filled already."""
    schema = step["schema"]
    return Question(
        run=run["id"],
        step=step["step"],
        kind=step["kind"],
        title=schema.get("title") or _("A question"),
        description=schema.get("description") or "",
        open=run["status"] == "waiting" and step["status"] == asking.WAITING,
        form=form or AskForm(step),
        by=by,
        answer=_lines(step) if step["status"] == asking.ANSWERED else [],
    )


def _lines(step: Json) -> list[tuple[str, str]]:
    value, found = step.get("value"), _properties(step["schema"])
    if step["kind"] == "form" and isinstance(value, dict):
        return [(found.get(name, {}).get("title") or name, askfields.label(one)) for name, one in value.items()]
    return [("", askfields.label(value))]
