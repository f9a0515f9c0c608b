"""Patterns of one's own, by the hook PRIVACY_PATTERNS; and those that cannot be used."""

import sys
from types import ModuleType

import pytest
from django.conf import settings as project
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chatproject import checks
from conversations.privacy import Search
from conversations.privacy.patterns import RegularExpression, patterns
from tests.api import Api
from tests.conversations.privacy.test_streams import streamed
from tests.docs.pages import code, section, text


@pytest.fixture
def staff_numbers(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that docs/privacy.md shows, and the setting that names it."""
    part = section(text("privacy.md"), "Add a pattern")
    module = ModuleType("staff_numbers")
    exec(compile(code(part, "python")[0], "docs/privacy.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "staff_numbers", module)
    [command] = code(part, "sh")
    settings.PRIVACY_PATTERNS = command.removeprefix("PRIVACY_PATTERNS=").split()[0].split(",")


@pytest.mark.usefixtures("staff_numbers")
def test_the_example_of_the_page(as_alice: Api) -> None:
    begun = as_alice.post("conversations/", {"title": "员工EMP-123456的卡4111111111111111, not EMP-1234567"})
    assert begun.json["title"] == "员工[REDACTED]的卡[REDACTED], not EMP-1234567"


@pytest.mark.usefixtures("staff_numbers")
@pytest.mark.parametrize("text", ["I am EMP-123456.", "员工EMP-123456的", "EMP-123456", "EMP-1234567", "EMP-12345 6"])
def test_the_example_in_a_running_answer(text: str) -> None:
    assert streamed(list(text)) == Search().text(text)


@given(st.data())
def test_a_regular_expression_in_any_pieces(data: st.DataObject) -> None:
    pattern = RegularExpression("word", r"\bab+\b", within=r"\w", longest=50)
    text = data.draw(st.text("ab ,", max_size=40))
    for piece in (text[:end] for end in range(len(text))):
        decided = pattern.open_from(piece)
        seen = [span for span in pattern.spans(piece) if span[1] < decided]
        assert seen == [span for span in pattern.spans(text) if span[1] < decided]


@pytest.mark.parametrize(
    "path", ["nowhere.Pattern", "conversations.privacy.cards.Nothing", "conversations.privacy.MARK"]
)
def test_a_path_that_leads_to_no_pattern_stops_the_start(settings: Settings, path: str) -> None:
    settings.PRIVACY_PATTERNS = [*project.PRIVACY_PATTERNS, path]
    [found] = checks.patterns_exist()
    assert (found.id, path.split(".")[0] in found.msg) == ("chatproject.E030", True)


def test_the_patterns_of_the_product() -> None:
    assert [pattern.name for pattern in patterns()] == ["credit_card", "us_ssn"]
    assert checks.patterns_exist() == []


class Broken:
    """Cannot say what it finds."""

    name = "broken"

    def spans(self, text: str) -> list[tuple[int, int]]:
        raise ValueError("no")

    def open_from(self, text: str) -> int:
        return 0


def test_a_pattern_that_raises_lets_nothing_through(settings: Settings, as_alice: Api) -> None:
    settings.PRIVACY_PATTERNS = [f"{__name__}.Broken"]
    assert as_alice.post("conversations/", {"title": "Hello"}).code == "internal"
    assert as_alice.get("conversations/").json["results"] == []
