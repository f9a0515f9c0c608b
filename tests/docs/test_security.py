"""docs/security.md goes through the whole checklist, and every test that it names is there."""

from tests.docs.pages import BASE, Row, rows, section, text, words
from tests.docs.test_faults import functions_in

ITEMS = 28


def checklist() -> list[Row]:
    return rows(section(text("security.md"), "The checklist"))


def test_every_item_is_there() -> None:
    assert [number for number, *_ in checklist()] == [str(number) for number in range(1, ITEMS + 1)]


def test_every_item_has_a_test_or_says_why_not() -> None:
    for number, item, how, tests in checklist():
        assert how, f"{number} {item}: nothing is said about it"
        assert words(tests) or not tests, f"{number} {item}: {tests} is no test"


def test_every_test_that_is_named_is_there() -> None:
    for _, item, _, tests in checklist():
        for path in words(tests):
            file, _, name = path.partition("::")
            assert (BASE / file).is_file(), f"{item}: there is no {file}"
            assert not name or name in functions_in(BASE / file), f"{item}: there is no {path}"
