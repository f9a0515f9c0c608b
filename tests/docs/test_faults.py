"""docs/faults.md names every fault test, and every test that it names is there, quick or long as it says."""

import ast
from functools import cache
from pathlib import Path

from tests.docs.pages import BASE, Row, rows, section, text, words

# Tables that name no tests.
OTHERS = "What comes with later issues", "The long ones, as they last ran"


def named() -> list[Row]:
    """The rows that name a test: what breaks, what happens, `file::test`, quick or long."""
    page = text("faults.md")
    others = [row for name in OTHERS for row in rows(section(page, name))]
    return [row for row in rows(page) if row not in others]


@cache
def functions_in(file: Path) -> dict[str, str]:
    """Test functions of a file and what is written above each of them."""
    source = file.read_text()
    lines = source.splitlines()
    found = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        node.name: "\n".join(lines[min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1 : node.lineno])
        for node in found
        if node.name.startswith("test_")
    }


def test_every_row_names_a_test_that_is_there() -> None:
    for what, _, test, when in named():
        (path,) = words(test)
        file, _, name = path.partition("::")
        decorators = functions_in(BASE / file).get(name)
        assert decorators is not None, f"{what}: there is no {path}"
        assert ("long" in when) == ("mark.faults" in decorators or "LONG" in decorators), f"{path} is {when}"
        assert ("quick" in when) == (not decorators.startswith("@pytest.mark.faults")), f"{path} is {when}"


def test_every_fault_test_is_named() -> None:
    there = {
        f"{file.relative_to(BASE)}::{name}"
        for file in (BASE / "tests" / "faults").glob("test_*.py")
        if file.name != "test_checker.py"  # is about the checker, not about the product
        for name in functions_in(file)
    }
    assert there - {words(row[2])[0] for row in named()} == set()
