"""Rows as one JSON text: what goes in comes out, and a bad one is heard of."""

import tracemalloc
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import DataError, IntegrityError, NotSupportedError, connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatproject.lib import clock, rows
from chatproject.lib.ids import new_id
from conversations.models import Event, Message, Run, SearchEntry

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30) | st.text(
    '\\"{}%s,\n\t', max_size=9
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def message(conversation: UUID, seq: int, **more: Any) -> Message:
    given = {"author_id": "x", "author_name": "x", "role": Message.Role.USER, "status": Message.Status.COMPLETE}
    places = {"seq": seq, "changed_seq": seq, "anchor": seq, "created_at": clock.now()}
    return Message(conversation_id=conversation, **places, **{**given, **more})


def stored(row: Message) -> Message:
    statement = f"SELECT {rows.columns(Message, 'm')} FROM conversations_message m WHERE id = %s"
    [found] = rows.made(Message, rows.execute(statement, row.id))
    return found


def values(row: Model) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=TEXTS, extra=JSON, parts=st.lists(JSON, max_size=2))
def test_what_goes_in_comes_out(conversation: UUID, name: str, extra: Any, parts: list[Any]) -> None:
    new = message(conversation, 1000, author_name=name, extra={"extra": extra}, parts=parts, run=new_id())
    with transaction.atomic():
        rows.insert([new])
        assert values(Message.objects.get(id=new.id)) == values(stored(new)) == values(new)
        transaction.set_rollback(True)


@pytest.mark.parametrize("model", [Event, Message, Run, SearchEntry])
def test_a_row_made_quickly_is_one_made_by_its_model(model: type[Model]) -> None:
    given = {"conversation_id": new_id(), "seq": 3, "id": new_id()}
    given = {name: value for name, value in given.items() if name in {field.attname for field in model._meta.fields}}
    quick, plain = rows.new(model, **given), model(**given)
    assert values(quick) == values(plain)
    assert (quick._state.adding, quick._state.db) == (plain._state.adding, plain._state.db)
    assert all(value is not vars(rows.new(model))[name] for name, value in values(quick).items() if value in ([], {}))


def test_many_at_once_and_several_tables_with_one_statement(conversation: UUID) -> None:
    new = [message(conversation, seq) for seq in range(100, 120)]
    words = [2**63 - 1, 0, 5]
    entries = [
        SearchEntry(conversation_id=conversation, seq=100, event=new_id(), words=words, version=1),
        SearchEntry(conversation_id=conversation, seq=101, event=new_id(), words=[], version=1),
    ]
    with rows.one_round_trip():
        rows.insert(new, entries)
        rows.insert()
    assert Message.objects.filter(id__in=[one.id for one in new]).count() == 20
    found = SearchEntry.objects.filter(conversation=conversation, seq__gte=100).order_by("seq")
    assert [one.words for one in found] == [words, []]


def test_rows_are_given_other_values_and_keep_the_rest(conversation: UUID) -> None:
    one, other = message(conversation, 300, extra={"a": 1}, run=new_id()), message(conversation, 301)
    rows.insert([one, other])
    change: dict[str, Any] = {"id": one.id, "edited_at": clock.now(), "parts": [{"id": "x"}], "run": None}
    run = new_id()
    rows.update(Message, change, {"id": str(other.id), "edited_at": None, "parts": [], "run": str(run)})
    rows.update(Message)
    vars(one).update(change)
    vars(other).update(run=run)
    assert values(stored(one)) == values(one)
    assert values(stored(other)) == values(other)


def together(*new: Message) -> None:
    with transaction.atomic(), rows.one_round_trip():
        for one in new:
            rows.insert([one])


def test_a_bad_one_is_heard_of_and_nothing_is_written(conversation: UUID) -> None:
    first = message(conversation, 200)
    for bad, error in ((message(conversation, 200), IntegrityError), (message(conversation, 2**63), DataError)):
        with pytest.raises(error):
            together(first, bad)
        assert not Message.objects.filter(id=first.id).exists()


def test_statements_are_prepared_once_and_others_are_forgotten() -> None:
    """What psycopg counts in order to prepare it, it keeps: here 20 MB for each connection."""
    with transaction.atomic(), connection.cursor() as cursor:
        rows.execute("SELECT %s::int", 1)
        cursor.execute("SELECT 1")
        tracemalloc.start()
        for number in range(20):
            cursor.execute("SELECT %s, %s", [number, "x" * 1_000_000])
            assert rows.execute("SELECT %s::int", number).fetchone() == (number,)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int%'")
        assert cursor.fetchone() == (1,)
    assert held < 5_000_000


def test_a_column_that_a_migration_changes() -> None:
    """Plans of before are of no use to anybody who still has one: neither by itself nor within a transaction is it
    asked for in vain for ever."""

    def ask(number: int) -> list[tuple[Any, ...]]:
        return rows.execute(f"SELECT name FROM {table} WHERE id = %s", number).fetchall()

    table = f"changed_{new_id().hex}"
    with connection.cursor() as cursor, psycopg.connect(**connection.get_connection_params()) as other:
        cursor.execute(f"CREATE TABLE {table} AS SELECT 1 AS id, 'Ann'::varchar(10) AS name")
        assert ask(1) == [("Ann",)]
        other.execute(f"ALTER TABLE {table} ALTER COLUMN name TYPE varchar(20)")
        other.commit()
        assert ask(1) == [("Ann",)]

        other.execute(f"ALTER TABLE {table} ALTER COLUMN name TYPE varchar(30)")
        other.commit()
        with pytest.raises(NotSupportedError), transaction.atomic():
            ask(1)
        with transaction.atomic():
            assert ask(1) == [("Ann",)]
        cursor.execute(f"DROP TABLE {table}")
