"""Files and functions stay small enough to be read at once."""

import ast
import re
import statistics

import pytest

from tests.architecture.code import BASE, Module, modules

ALL = list(modules().values())
TESTS = sorted(path for path in (BASE / "tests").rglob("*.py"))


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_a_module_says_what_it_is_for(module: Module) -> None:
    empty = not module.tree.body
    plain = module.path.endswith(("apps.py", "urls.py", "routing.py"))
    assert empty or plain or ast.get_docstring(module.tree), f"{module.path} has no docstring"


def test_files_are_short() -> None:
    lengths = {module.path: len((BASE / module.path).read_text().splitlines()) for module in ALL}
    long = {path: length for path, length in lengths.items() if length > 300}
    assert not long
    assert statistics.median(length for length in lengths.values() if length) < 95


def test_functions_are_short() -> None:
    lengths = {f"{module.path}:{function.name}": _lines(function) for module in ALL for function in module.functions()}
    assert not {name: length for name, length in lengths.items() if length > 60}
    assert statistics.median(lengths.values()) <= 8
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= 35


def test_no_drawers() -> None:
    """A module called `utils` is a drawer."""
    for path in [*(BASE / module.path for module in ALL), *TESTS]:
        assert path.stem not in ("utils", "helpers", "common", "misc"), path


def test_nothing_is_put_off() -> None:
    put_off = re.compile(r"\b(TO[D]O|FIXM[E]|XX[X]|mark\.xfai[l]|mark\.ski[p]\()")
    for path in [*(BASE / module.path for module in ALL), *TESTS]:
        found = put_off.findall(path.read_text())
        assert not found or path.name == "chromium.py", f"{path}: {found}"


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]
