"""A field of a form for a JSON Schema, and the JSON that was given in it. What no field is for is given as JSON."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

Json = dict[str, Any]

# Texts that may be longer are asked for in a field of several lines.
ONE_LINE = 200
DATE_FORMAT = "%Y-%m-%d"
# What is not given at all.
MISSING = object()


def field(name: str, schema: Json, *, required: bool) -> forms.Field:
    """What asks for the property `name`."""
    default = schema.get("default")
    given: dict[str, Any] = {
        "label": schema.get("title") or name,
        "help_text": schema.get("description") or "",
        "required": required,
        "initial": default if isinstance(default, str | bool | int | float) else None,
    }
    if "enum" in schema:
        return choice(schema["enum"], **{**given, "initial": place_of(schema["enum"], default)})
    match type_of(schema):
        case "boolean":
            return forms.BooleanField(**{**given, "required": False})  # no is an answer, too
        case "integer":
            return forms.IntegerField(**_bounds(schema), **given)
        case "number":
            return forms.FloatField(**_bounds(schema), widget=forms.NumberInput({"step": "any"}), **given)
        case "string":
            return _text(schema, given)
        case _:
            return forms.JSONField(widget=forms.Textarea({"rows": 3}), **{**given, "help_text": _as_json(schema)})


def value(schema: Json, cleaned: Any) -> Any:
    """The JSON for what `field(schema)` gave; MISSING where nothing was given."""
    if "enum" in schema:
        return schema["enum"][int(cleaned)] if cleaned else MISSING
    if cleaned is None or cleaned == "":
        return MISSING
    if hasattr(cleaned, "isoformat"):
        return cleaned.isoformat()
    return cleaned.replace("\r\n", "\n") if isinstance(cleaned, str) else cleaned


def choice(options: Sequence[Any], **given: Any) -> forms.ChoiceField:
    """One of `options`, which may be any JSON, by its place among them."""
    empty = [] if given["required"] and given.get("initial") else [("", "—")]
    return forms.ChoiceField(choices=[*empty, *((str(n), label(one)) for n, one in enumerate(options))], **given)


def place_of(options: Sequence[Any], wanted: Any) -> str | None:
    """Where `wanted` stands. True is not 1 here."""
    places = (str(n) for n, one in enumerate(options) if one == wanted and type(one) is type(wanted))
    return next(places, None)


def label(value: Any) -> str:
    """What people read for a value."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return "—" if value is None else str(value)


def type_of(schema: Json) -> str | None:
    """The one type of a schema, or the first of several that is something."""
    given = schema.get("type")
    kinds = given if isinstance(given, list) else [given]
    return next((kind for kind in kinds if kind != "null"), None)


def _text(schema: Json, given: Json) -> forms.Field:
    lengths: Json = {name: int(schema[key]) for name, key in LENGTHS.items() if key in schema}
    match schema.get("format"):
        case "date":
            widget = forms.DateInput({"type": "date"}, format=DATE_FORMAT)
            return forms.DateField(input_formats=[DATE_FORMAT], widget=widget, **given)
        case "email":
            return forms.EmailField(**lengths, **given)
    long = lengths.get("max_length", 0) > ONE_LINE
    return forms.CharField(widget=forms.Textarea({"rows": 3}) if long else forms.TextInput(), **lengths, **given)


LENGTHS = {"max_length": "maxLength", "min_length": "minLength"}


def _bounds(schema: Json) -> Json:
    return {name: schema[key] for name, key in (("min_value", "minimum"), ("max_value", "maximum")) if key in schema}


def _as_json(schema: Json) -> str:
    return " ".join(filter(None, [schema.get("description"), str(_("To be given as JSON."))]))
