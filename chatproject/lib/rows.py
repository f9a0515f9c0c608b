"""Many rows with one statement each way: what the log's writer does for every group of messages.

The ORM's `bulk_create` makes every value of every row a parameter of its own, prepared one by one; here the rows
are one JSON text, encoded at once and taken apart by PostgreSQL (docs/decisions/0015-rows-as-one-json.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import msgspec
import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import NOT_PROVIDED, BinaryField, Field, JSONField, Model
from django.db.models.base import ModelState
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

Row = TypeVar("Row", bound=Model)

# What an instance has beside its values (Django's `_state`) is nothing; the statement asks for columns alone.
_encoder = msgspec.json.Encoder(enc_hook=lambda _: None)


@contextmanager
def one_round_trip() -> Iterator[None]:
    """Statements inside are sent together. What they give is fetched behind the block; its end raises their errors."""
    wrapper = _wrapper()
    with wrapper.wrap_database_errors, wrapper.connection.pipeline():
        yield


def execute(statement: str, *parameters: Any) -> "psycopg.Cursor[tuple[Any, ...]]":
    """Run a statement that comes again and again: unlike Django's cursors it is planned once per connection."""
    wrapper = _wrapper()
    driver = wrapper.connection
    with wrapper.wrap_database_errors:
        try:
            return _execute(driver, statement, parameters)
        except FeatureNotSupported:
            # A migration changed a column: the plan of before is of no use. A ROLLBACK has psycopg forget it; that of
            # the transaction, where there is one.
            if driver.info.transaction_status != TransactionStatus.IDLE:
                raise
            with driver.transaction(force_rollback=True):
                pass
            return _execute(driver, statement, parameters)


def _execute(driver: Any, statement: str, parameters: Sequence[Any]) -> "psycopg.Cursor[tuple[Any, ...]]":
    # For others it must not be prepared: it would keep the last hundred of each connection, and Django's hold their
    # parameters: whole chunks of files.
    driver.prepare_threshold = 0
    try:
        return psycopg.Cursor(driver).execute(statement.encode(), parameters, prepare=True)
    finally:
        driver.prepare_threshold = None


def _wrapper() -> Any:
    """This thread's connection, connected. Every look at Django's `connection` is a search for it."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.connection is None:
        wrapper.ensure_connection()
    return wrapper


def as_json(columns: Sequence[str], values: Iterable[tuple[Any, ...]]) -> str:
    """A parameter for `json_to_recordset`: of an array each value would be adapted by itself."""
    return msgspec.json.encode([dict(zip(columns, row, strict=True)) for row in values]).decode()


def new(model: type[Row], **values: Any) -> Row:
    """An instance with `values` (by the names of columns, as they are stored) and defaults: as `model(**values)`, at a
    quarter of its cost, because no field is asked whether it minds."""
    row = model.__new__(model)
    plain, made = _defaults(model)
    fresh = {name: make() for name, make in made if name not in values}
    row.__dict__ = {**plain, **fresh, **values, "_state": ModelState()}
    return row


def insert(*tables: Sequence[Model]) -> None:
    """Insert rows, whose keys are set, with one statement for all `tables`: rows of one model each. Raises what
    `bulk_create` raises."""
    if tables:
        statement = _statement(tuple(type(rows[0]) for rows in tables))
        execute(statement, *[_encoder.encode(list(map(vars, rows))).decode() for rows in tables])


def update(model: type[Model], *changes: Mapping[str, Any]) -> None:
    """Give rows of `model` other values, with one statement: each of the `changes` has the `id` of a row, and all have
    the same columns."""
    if changes:
        execute(_change(model, tuple(changes[0])), _encoder.encode(changes).decode())


def columns(model: type[Model], table: str, *, but: str = "") -> str:
    """The columns of `model` for a SELECT whose rows `made` is to make instances of; `but` is left out."""
    return ", ".join(f"{table}.{name}" for name in _names(model) if name != but)


def made(model: type[Row], found: Iterable[tuple[Any, ...]], *, but: str = "") -> Iterator[Row]:
    """Instances from what a SELECT of `columns` found; the value of `but` is read once somebody wants it."""
    names = [name for name in _names(model) if name != but]
    json = [field.attname for field in _fields(model) if isinstance(field, JSONField) and field.attname != but]
    for values in found:
        row = stored(model, dict(zip(names, values, strict=True)))
        vars(row).update({name: msgspec.json.decode(text) for name in json if (text := vars(row)[name]) is not None})
        yield row


def stored(model: type[Row], values: Mapping[str, Any]) -> Row:
    """An instance of a row that is in the database, without the signals of `Model.__init__`."""
    row = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, DEFAULT_DB_ALIAS
    vars(row).update(values, _state=state)
    return row


@cache
def _fields(model: type[Model]) -> Sequence["Field[Any, Any]"]:
    return model._meta.concrete_fields


@cache
def _names(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in _fields(model))


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], Sequence[tuple[str, Callable[[], Any]]]]:
    """The defaults that are always the same, and those that are made for each row."""
    made = [field for field in _fields(model) if callable(field.default) and field.default is not NOT_PROVIDED]
    return (
        {field.attname: field.get_default() for field in _fields(model) if field not in made},
        [(field.attname, field.default) for field in made],
    )


@cache
def _statement(models: Sequence[type[Model]]) -> str:
    *before, last = map(_insertion, models)
    named = ", ".join(f"part{number} AS ({insertion})" for number, insertion in enumerate(before))
    return f"WITH {named} {last}" if named else last


@cache
def _change(model: type[Model], names: Sequence[str]) -> str:
    types = {field.attname: field.db_type(connection) for field in _fields(model)}
    return (
        f"UPDATE {model._meta.db_table} t SET {', '.join(f'{name} = v.{name}' for name in names if name != 'id')}"  # noqa: S608
        f" FROM json_to_recordset(%s::json) AS v({', '.join(f'{name} {types[name]}' for name in names)})"
        " WHERE t.id = v.id"
    )


def _insertion(model: type[Model]) -> str:
    """JSON has no bytes: they come as base64."""
    names, types, values = [], [], []
    for field in _fields(model):
        name, binary = f'"{field.attname}"', isinstance(field, BinaryField)
        names.append(name)
        types.append(f"{name} {'text' if binary else field.db_type(connection)}")
        values.append(f"decode({name}, 'base64')" if binary else name)
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(names)})"  # noqa: S608  our own names
        f" SELECT {', '.join(values)} FROM json_to_recordset(%s::json) AS r({', '.join(types)})"
    )
