"""docs/settings.md lists every setting of ours with its default, and nothing else."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.docs.pages import BASE, rows, text, words

READERS = {"text", "number", "flag", "words", "choice"}
# What is read beside the `env` functions: for tests and faults, or set by `serve` for its children.
NOT_FOR_PEOPLE = {"CRASH_AT", "CRASH_ONCE", "PROMETHEUS_MULTIPROC_DIR"}
IN_THE_FILE = {
    "MESSAGE_TYPES",
    "ACTIONS",
    "ASSISTANTS",
    "CONNECTOR_KINDS",
    "TOOLS",
    "ASSISTANT_KINDS",
    "ASSISTANT_CONTEXTS",
    "CONTEXT_STRATEGIES",
    "EVENT_PUBLISHERS",
    "EVENT_STREAM",
    "SHARE_STREAM",
    "USER_STREAM",
}


def sources() -> Iterator[Path]:
    for app in ("chatproject", "accounts", "conversations", "realtime"):
        yield from (BASE / app).rglob("*.py")


def read_by_code() -> dict[str, Any]:
    """Name -> default (a literal) of every `env.<reader>("NAME", default)`; None where it has none."""
    found: dict[str, Any] = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and is_reader(node.func):
                name, *default = node.args[:2]
                assert isinstance(name, ast.Constant)
                value = literal(default[0]) if default else None
                found[str(name.value)] = found.get(str(name.value)) or value
    return found


def is_reader(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in READERS
        and isinstance(called.value, ast.Name)
        and called.value.id == "env"
    )


def literal(node: ast.expr) -> Any:
    return eval(compile(ast.Expression(node), "default", "eval"), {})


def documented() -> dict[str, str]:
    """Name -> default as it is written."""
    return {words(setting)[0]: default for setting, default, *_ in rows(text("settings.md"))}


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"`{value}`" if isinstance(value, str) and value else str(value or "none")


def test_every_setting_is_documented_and_exists() -> None:
    assert set(documented()) == set(read_by_code()) | IN_THE_FILE


def test_every_setting_is_documented_once_and_with_a_sentence() -> None:
    table = rows(text("settings.md"))
    assert len(table) == len(documented())
    assert [setting for setting, _, sentence in table if not sentence.endswith((".", "?"))] == []


def test_defaults_are_those_of_the_code() -> None:
    page = documented()
    # Those without a literal default in the code are made at the first start, or are the built-in server.
    told = {name: written(value) for name, value in read_by_code().items() if value is not None}
    assert {name: page[name] for name in told} == told


def test_settings_of_the_file_are_there() -> None:
    assert all(hasattr(settings, name) for name in IN_THE_FILE)


def test_nothing_else_is_read_from_the_environment() -> None:
    direct = {
        str(node.args[0].value)
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv")
        if isinstance(node.args[0], ast.Constant)
    }
    assert direct <= NOT_FOR_PEOPLE
