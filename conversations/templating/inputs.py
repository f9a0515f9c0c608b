"""What people give for the variables of a template, checked by a form: that of the page, and that behind the API."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _

from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import is_well_formed
from conversations.templating import variables
from conversations.templating.variables import Variable

# Texts that may be longer are asked for in a field of several lines.
ONE_LINE = 200
# Digits of a number that is asked for: all of them, and those behind the point.
NUMBER_DIGITS, NUMBER_PLACES = 30, 10
DATE_FORMAT = "%Y-%m-%d"

Values = dict[str, str]


class InputForm(forms.Form):
    """A field per variable."""

    def inputs(self) -> dict[str, Any]:
        """What was given, as the API takes it."""
        return {
            name: value if isinstance(value, bool) else _written(value) or None
            for name, value in self.cleaned_data.items()
        }

    def values(self) -> Values:
        """What stands in place of each name."""
        return {name: _written(value) for name, value in self.cleaned_data.items()}


def form_class(asked: Sequence[Variable]) -> type[InputForm]:
    return type("TemplateInputs", (InputForm,), {variable.name: _field(variable) for variable in asked})


def clean(asked: Sequence[Variable], inputs: Any) -> Values:
    """What a request gives for the variables, as texts; defaults where it gives nothing.

    Raises Problem `invalid` with the errors of each variable, as `inputs.<name>`.
    """
    if not isinstance(inputs, dict):
        raise Problem("invalid", errors={"inputs": ["This must be a JSON object."]})
    unfit = _unfit(asked, inputs)
    fit = {name: value for name, value in inputs.items() if value is not None and name not in unfit}
    defaults = {variable.name: variable.default for variable in asked if variable.default is not None}
    form = form_class(asked)(defaults | fit)
    errors = {name: [str(text) for text in texts] for name, texts in form.errors.items()} | unfit
    if errors:
        raise Problem("invalid", errors={f"inputs.{name}": texts for name, texts in errors.items()})
    return form.values()


def check_defaults(asked: Sequence[Variable]) -> None:
    """Raises Problem `invalid` where a variable could not be given its own default."""
    for variable in asked:
        if variable.default is None:
            continue
        try:
            clean([variable], {variable.name: variable.default})
        except Problem as problem:
            sentences = " ".join(text for texts in (problem.errors or {}).values() for text in texts)
            raise variables.wrong(f"{variable.name}: its default is not possible: {sentences}") from problem


def _unfit(asked: Sequence[Variable], inputs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Inputs that no form could take: of other names, or of other JSON types."""
    known = {variable.name: variable for variable in asked}
    errors = {name: [_("There is no such variable.")] for name in inputs.keys() - known.keys()}
    for name in inputs.keys() & known.keys():
        if not _fits(known[name].type, inputs[name]):
            errors[name] = [_("This is no value of the type %(type)s.") % {"type": known[name].type}]
    return errors


def _fits(type_: str, value: Any) -> bool:
    if value is None:
        return True
    if isinstance(value, str):
        return type_ != "boolean" and is_well_formed(value)
    if isinstance(value, bool):
        return type_ == "boolean"
    return type_ == "number" and isinstance(value, int | float)


def _written(value: Any) -> str:
    """A value in a text, the same in every language."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value or "")


def _field(variable: Variable) -> forms.Field:
    """What asks for a variable."""
    given: dict[str, Any] = {
        "label": variable.label or variable.name,
        "required": variable.required,
        "initial": variable.default,
    }
    match variable.type:
        case "number":
            return forms.DecimalField(max_digits=NUMBER_DIGITS, decimal_places=NUMBER_PLACES, **given)
        case "choice":
            return forms.ChoiceField(choices=_choices(variable), **given)
        case "date":
            widget = forms.DateInput({"type": "date"}, format=DATE_FORMAT)
            return forms.DateField(input_formats=[DATE_FORMAT], widget=widget, **given)
        case "boolean":
            return forms.BooleanField(**{**given, "required": False})  # no is an answer, too
        case _:
            return _text(variable, given)


def _text(variable: Variable, given: dict[str, Any]) -> forms.Field:
    widget = forms.Textarea({"rows": 3}) if (variable.max_length or 0) > ONE_LINE else forms.TextInput()
    return forms.CharField(max_length=variable.max_length or settings.TEMPLATE_INPUT_MAX_LENGTH, widget=widget, **given)


def _choices(variable: Variable) -> list[tuple[str, str]]:
    """With an empty one where nothing is chosen yet, or need not be."""
    empty = [] if variable.required and variable.default else [("", "—")]
    return [*empty, *((one, one) for one in variable.choices)]
