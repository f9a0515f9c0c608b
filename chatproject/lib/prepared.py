"""Queries of the ORM that come again and again: put together once, not each time.

Django makes the SQL of a query anew whenever it is asked for, which takes 0.5 to 3 ms, and has PostgreSQL plan it
anew. Here both are done once (docs/decisions/0029-prepared-queries.md).
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast, get_args, get_origin
from uuid import UUID

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from chatproject.lib import rows

Row = TypeVar("Row")
# Values that no query has of its own and every field can hold, by the annotation of an argument and its place.
STAND_INS: dict[Any, Callable[[int], Any]] = {
    UUID: lambda place: UUID(int=0x5EED << 64 | place),
    int: lambda place: 1_993_070_400 + place,
    str: lambda place: f"stands in for {place}",
    datetime: lambda place: datetime(1812, 4, 6, tzinfo=UTC) + timedelta(days=place),
}


@dataclass(frozen=True)
class _Place:
    """What a parameter of the SQL is: an argument, as it is, or as a text, or as one that a list may have; or, without
    a name, always the same value."""

    name: str | None
    value: Any = None
    as_text: bool = False
    of_list: bool = False

    def filled(self, arguments: dict[str, Any]) -> Any:
        if self.name is None:
            return self.value
        given = arguments[self.name]
        if self.of_list:
            return list(map(str, given)) if self.as_text else list(given)
        return str(given) if self.as_text else given


@dataclass(frozen=True)
class _Statement:
    sql: str
    places: Sequence[_Place]
    make: Callable[[Iterable[Sequence[Any]]], Iterable[Any]]


class Prepared(Generic[Row]):
    """A query whose arguments come later: UUID, int, str, datetime, or lists of those for `__in`; never None, and none
    that decides what the query looks like.

    What is joined by `select_related` must be there.

    Made from a function that gives the query of its arguments, as a decorator; called as that function, by names, it
    gives the rows: instances, or tuples for `values_list`.
    """

    def __init__(self, query: "Callable[..., QuerySet[Any, Row]]") -> None:
        self._query = query
        self._statement: _Statement | None = None
        self.__doc__ = query.__doc__

    def __call__(self, **arguments: Any) -> list[Row]:
        statement = self._statement or self._prepare()
        parameters = [place.filled(arguments) for place in statement.places]
        return list(statement.make(rows.execute(statement.sql, *parameters).fetchall()))

    def first(self, **arguments: Any) -> Row | None:
        """The first of the rows, or None."""
        found = self(**arguments)
        return found[0] if found else None

    def _prepare(self) -> _Statement:
        kinds = {name: one.annotation for name, one in inspect.signature(self._query, eval_str=True).parameters.items()}
        stand_ins = {name: STAND_INS[_one(kind)](number) for number, (name, kind) in enumerate(kinds.items())}
        lists = {name for name, kind in kinds.items() if get_origin(kind) is list}
        found = self._query(**{name: [one] if name in lists else one for name, one in stand_ins.items()})
        compiler = found.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        places = [_place(value, stand_ins, lists) for value in parameters]
        lost = stand_ins.keys() - {place.name for place in places}
        assert not lost, f"{', '.join(sorted(lost))}: the query has it in another form, or not at all"
        instances = found._fields is None  # type: ignore[attr-defined]
        make = _instances(compiler) if instances else _tuples(compiler)
        self._statement = _Statement(_with_lists(sql, places), places, make)
        return self._statement


def _one(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is list else kind


def _place(parameter: Any, stand_ins: dict[str, Any], lists: set[str]) -> _Place:
    for name, value in stand_ins.items():
        if parameter in (value, str(value)):
            return _Place(name, as_text=parameter != value, of_list=name in lists)
    return _Place(None, parameter)


def _with_lists(sql: str, places: Sequence[_Place]) -> str:
    """For a list Django writes as many parameters as it has values, in our case one; PostgreSQL takes arrays."""
    before = sql.split("%s")
    for number, place in enumerate(places):
        if place.of_list:
            assert before[number].endswith(" IN ("), "lists are for __in alone"
            before[number] = before[number].removesuffix(" IN (") + " = ANY("
    return "%s".join(before)


def _tuples(compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], Iterable[Any]]:
    converted = _converted(compiler)
    return lambda found: map(tuple, converted(found))


def _instances(compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], Iterable[Model]]:
    """Instances with what the query annotates and what it selects beside them."""
    converted, make = _converted(compiler), _maker(compiler, cast(dict[str, Any], compiler.klass_info))
    more = [(place, name) for name, place in (compiler.annotation_col_map or {}).items()]

    def made(found: Iterable[Sequence[Any]]) -> Iterable[Model]:
        for values in converted(found):
            row = make(values)
            vars(row).update({name: values[place] for place, name in more})
            yield row

    return made


def _maker(compiler: SQLCompiler, about: dict[str, Any]) -> Callable[[Sequence[Any]], Model]:
    """What makes one instance of its values, and those beside it. `about` is Django's."""
    model = about["model"]
    names = [(place, compiler.select[place][0].target.attname) for place in about["select_fields"]]
    beside = [(one["local_setter"], _maker(compiler, one)) for one in about.get("related_klass_infos", ())]

    def make(values: Sequence[Any]) -> Model:
        row: Model = rows.stored(model, {name: values[place] for place, name in names})
        for put, other in beside:
            put(row, other(values))
        return row

    return make


def _converted(compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], Iterable[Sequence[Any]]]:
    """Values as the fields of the query want them (JSON comes as text)."""
    converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
    return lambda found: compiler.apply_converters(found, converters) if converters else found
