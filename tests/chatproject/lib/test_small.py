"""Ids, times, the environment, the registry of codes, stored JSON."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproject.lib import clock
from chatproject.lib import environment as env
from chatproject.lib.errors import CODES, Problem
from chatproject.lib.ids import new_id, parse_id
from chatproject.lib.jsonvalues import MAX_DEPTH, MAX_KEYS, clean_object, depth, is_bounded


def test_ids_are_uuid7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert all(id_.version == 7 for id_ in ids)


@pytest.mark.parametrize("text", ["", "x", None, 7, [], "0" * 31, "0" * 33, "\0"])
def test_what_is_no_id(text: Any) -> None:
    assert parse_id(text) is None


def test_an_id_in_any_spelling() -> None:
    id_ = uuid4()
    assert parse_id(str(id_)) == parse_id(id_.hex) == parse_id(str(id_).upper()) == id_


def test_times_are_utc_with_milliseconds() -> None:
    noon = datetime(2026, 1, 31, 12, 0, 0, 123999, timezone(timedelta(hours=2)))
    assert clock.rfc3339(noon) == "2026-01-31T10:00:00.123Z"
    assert clock.rfc3339(None) is None
    assert clock.to_millis(noon).microsecond == 123000
    assert clock.now().tzinfo == UTC


def test_the_environment_is_read_strictly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("N", "7")
    monkeypatch.setenv("YES", "on")
    monkeypatch.setenv("NO", "0")
    monkeypatch.setenv("WORDS", "a, b ,,c")
    assert (env.number("N", 1), env.number("ABSENT", 1)) == (7, 1)
    assert (env.flag("YES", False), env.flag("NO", True), env.flag("ABSENT", True)) == (True, False, True)
    assert env.words("WORDS") == ["a", "b", "c"]

    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("SECRET_FILE", str(tmp_path / "secret"))
    assert env.text("SECRET") == "hush"


@pytest.mark.parametrize(("read", "value"), [("number", "x"), ("number", "-1"), ("number", "0"), ("flag", "maybe")])
def test_a_wrong_value_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch, read: str, value: str) -> None:
    monkeypatch.setenv("SETTING", value)
    with pytest.raises(ImproperlyConfigured, match=r"SETTING is .*; set it to"):
        env.number("SETTING", 1, least=1) if read == "number" else env.flag("SETTING", True)


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_FILE", "/nowhere")
    with pytest.raises(ImproperlyConfigured, match="SECRET_FILE points to /nowhere"):
        env.text("SECRET")


def test_the_registry_is_the_protocols() -> None:
    statuses = {name: code.status for name, code in CODES.items()}
    assert statuses == {
        "invalid": 400, "unauthenticated": 401, "token_expired": 401, "forbidden": 403, "not_found": 404,
        "conflict": 409, "conversation_busy": 409, "conversation_closed": 409, "stale": 412, "too_large": 413,
        "unsupported": 415, "idempotency_mismatch": 422, "rate_limited": 429, "quota_exceeded": 429,
        "run_not_active": 409, "resync_required": 409, "room_full": 409, "unavailable": 503, "internal": 500,
    }  # fmt: skip
    assert all(code.sentence.endswith(".") for code in CODES.values())
    assert Problem("stale").detail == CODES["stale"].sentence


leaves = st.text(max_size=3) | st.integers()
nested: st.SearchStrategy[Any] = st.recursive(
    leaves, lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=5
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=3), nested, max_size=3))
def test_stored_json_is_taken_whole_or_refused(value: dict[str, Any]) -> None:
    try:
        assert clean_object("field", value, 50) == value
    except Problem as problem:
        assert problem.code.name in ("invalid", "too_large")  # noqa: PT017


@pytest.mark.parametrize(
    ("value", "deep"), [(1, 0), ([], 1), ({}, 1), ([[1]], 2), ({"a": [{}]}, 3)], ids=lambda value: str(value)
)
def test_how_deep_json_is(value: Any, deep: int) -> None:
    assert depth(value) == deep


def nested_in(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_which_json_is_bounded() -> None:
    assert is_bounded(nested_in(MAX_DEPTH))
    assert not is_bounded(nested_in(MAX_DEPTH + 1))
    many = {str(number): number for number in range(MAX_KEYS)}
    assert is_bounded([many, {"a": many}])
    assert not is_bounded([{"a": {**many, "one more": 1}}])
