"""Many rows with one statement each way: what the log's writer does for every group of messages.

The ORM's `bulk_create` makes every value of every row a parameter of its own, prepared one by one; here the rows
are one JSON text, encoded at once and taken apart by PostgreSQL (docs/decisions/0015-rows-as-one-json.md).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec
import psycopg
from django.db import connection
from django.db.models import BinaryField, Field, JSONField, Model

Row = TypeVar("Row", bound=Model)


@contextmanager
def one_round_trip() -> Iterator[None]:
    """Statements inside are sent together. What they give is fetched behind the block; its end raises their errors."""
    connection.ensure_connection()
    driver: psycopg.Connection = connection.connection
    with connection.wrap_database_errors, driver.pipeline():
        yield


def insert(rows: Sequence[Model]) -> None:
    """Insert rows of one model, whose keys are set. Raises what `bulk_create` raises."""
    names = _names(type(rows[0]))
    values = [{name: found[name] for name in names} for found in map(vars, rows)]
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(rows[0])), [msgspec.json.encode(values).decode()])


def columns(model: type[Model], table: str) -> str:
    """The columns of `model` for a SELECT whose rows `made` is to make instances of."""
    return ", ".join(f"{table}.{name}" for name in _names(model))


def made(model: type[Row], found: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    """Instances from what a SELECT of `columns` found."""
    names = _names(model)
    json = [place for place, field in enumerate(_fields(model)) if isinstance(field, JSONField)]
    for row in found:
        values = list(row)
        for place in json:
            values[place] = None if row[place] is None else msgspec.json.decode(row[place])
        yield model.from_db(connection.alias, names, values)


@cache
def _fields(model: type[Model]) -> Sequence["Field[Any, Any]"]:
    return model._meta.concrete_fields


@cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in _fields(model))


@cache
def _statement(model: type[Model]) -> str:
    """JSON has no bytes: they come as base64."""
    names, types, values = ", ".join(_names(model)), [], []
    for field in _fields(model):
        binary = isinstance(field, BinaryField)
        types.append(f"{field.attname} {'text' if binary else field.db_type(connection)}")
        values.append(f"decode({field.attname}, 'base64')" if binary else field.attname)
    return (
        f"INSERT INTO {model._meta.db_table} ({names})"  # noqa: S608  our own names
        f" SELECT {', '.join(values)} FROM json_to_recordset(%s::json) AS r({', '.join(types)})"
    )
