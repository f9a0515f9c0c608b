"""What a template asks for: typed variables."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from msgspec import Meta

from chatproject.lib.errors import Problem

Name = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Label = Annotated[str, Meta(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Choice = Annotated[str, Meta(pattern=r"^[^\s\x00-\x1f]([^\x00-\x1f]{0,198}[^\s\x00-\x1f])?$")]


class Variable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`choices` belong to the type choice, `max_length` (characters) to text; `default` is what its type takes."""

    name: Name
    type: Literal["text", "number", "choice", "date", "boolean"] = "text"
    label: Label = ""
    required: bool = True
    default: str | int | float | bool | None = None
    choices: Annotated[tuple[Choice, ...], Meta(max_length=100)] = ()
    max_length: Annotated[int, Meta(gt=0)] | None = None


def parsed(given: Any) -> tuple[Variable, ...]:
    """Variables from their JSON form. Raises Problem `invalid`; defaults are not looked at."""
    try:
        found = msgspec.convert(given, tuple[Variable, ...])
    except msgspec.ValidationError as error:
        raise wrong(f"{error}.") from error
    if len(found) > settings.TEMPLATE_VARIABLES_MAX:
        raise wrong(f"A template has at most {settings.TEMPLATE_VARIABLES_MAX} variables.")
    for name in _twice(variable.name for variable in found):
        raise wrong(f"{name}: there are two of this name.")
    for variable in found:
        _check(variable)
    return found


def of(stored: Sequence[Any]) -> tuple[Variable, ...]:
    """The variables of a template, which were checked when it was written."""
    return msgspec.convert(stored, tuple[Variable, ...])


def stored(variables: Sequence[Variable]) -> Any:
    """Their JSON form."""
    return msgspec.json.decode(msgspec.json.encode(variables))


def wrong(sentence: str) -> Problem:
    return Problem("invalid", errors={"variables": [sentence]})


def _check(variable: Variable) -> None:
    if bool(variable.choices) != (variable.type == "choice"):
        raise wrong(f"{variable.name}: a choice has choices, and nothing else has.")
    for choice in _twice(variable.choices):
        raise wrong(f"{variable.name}: {choice} is there twice.")
    longest = settings.TEMPLATE_INPUT_MAX_LENGTH
    if variable.max_length and (variable.type != "text" or variable.max_length > longest):
        raise wrong(f"{variable.name}: a text has a max_length of at most {longest}, and nothing else has one.")


def _twice(words: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [word for word in words if word in seen or seen.add(word)]  # type: ignore[func-returns-value]
