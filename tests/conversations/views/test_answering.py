"""Answering what a run asks, by plain forms."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations import asking, wire
from conversations.models import Run
from conversations.services import members, runs
from tests.browser.asker import QUESTIONS
from tests.conversations.assistants.support import ask, conversation_with
from tests.conversations.support import frames
from tests.conversations.views.visitor import Visitor


@pytest.fixture(autouse=True)
def asker() -> Iterator[None]:
    with override_settings(ASSISTANTS={"asker": "tests.browser.asker.Asker"}):
        yield


class Asked:
    """A run of Alice's conversation that has asked `kind` with `schema`, as its turn would."""

    def __init__(self, alice: User, kind: str, schema: dict[str, Any]) -> None:
        self.conversation: UUID = conversation_with(alice, "asker")
        ask(alice, self.conversation, kind)
        claim = runs.claim(conversation=self.conversation, worker="test")
        assert claim
        self.run, self.step = claim.run, str(new_id())
        full = {**{"approval": {"type": "boolean"}}.get(kind, {}), **schema}
        runs.ask(
            claim=claim, data={"step": self.step, "kind": kind, "schema": full, "emitted": 0}, id=new_id()
        ).result()

    @property
    def page(self) -> str:
        return f"/c/{self.conversation}/"

    def answered(self) -> Any:
        """What stands in the log as the answer."""
        found = [one["data"]["value"] for one in frames(self.conversation) if one["type"] == "run:answer"]
        return found[0] if found else None

    def send(self, who: Visitor, **fields: Any) -> Any:
        return who.post(f"{self.page}answer/", run=str(self.run), step=self.step, **fields)


def asked(alice: User, name: str) -> Asked:
    return Asked(alice, *QUESTIONS[name])


@pytest.mark.parametrize(("pressed", "value", "shown"), [("yes", True, "Yes"), ("no", False, "No")])
def test_an_approval_is_two_buttons(alice: User, alices: Visitor, pressed: str, value: bool, shown: str) -> None:
    one = asked(alice, "approval")
    alices.get(one.page)
    for text in ("Send the invoice?", "It goes to the customer at once.", 'value="yes"', 'value="no"'):
        assert text in alices.page
    answer = one.send(alices, choice=pressed)
    assert (answer.status_code, answer.headers["Location"]) == (302, one.page)
    assert one.answered() is value
    alices.get(one.page)
    assert f"<dd>{shown}</dd>" in alices.page
    assert "Alice answered" in alices.page
    assert "data-answer" not in alices.page


def test_a_choice_is_buttons_or_radios(alice: User, alices: Visitor) -> None:
    few, many = asked(alice, "choice"), Asked(alice, *QUESTIONS["long"])
    alices.get(few.page)
    assert '<button name="choice" value="1">large</button>' in alices.page
    few.send(alices, choice="1")
    assert few.answered() == "large"
    alices.get(many.page)
    assert alices.page.count('type="radio"') >= 7
    assert many.send(alices, choice="7").status_code == 400
    assert many.send(alices).status_code == 400
    assert 'role="alert"' in alices.page
    many.send(alices, choice="6")
    assert many.answered() == "Gera"


def test_options_of_any_kind(alice: User, alices: Visitor) -> None:
    one = Asked(alice, "choice", {"enum": [1, True, None, "<b>", {"a": 1}]})
    alices.get(one.page)
    assert "&lt;b&gt;" in alices.page
    one.send(alices, choice="1")
    assert one.answered() is True


def test_a_text(alice: User, alices: Visitor) -> None:
    one = asked(alice, "text")
    for wrong in ("", "x" * 21):
        assert one.send(alices, text=wrong).status_code == 400
        assert 'aria-invalid="true"' in alices.page
        assert wrong in alices.page
    one.send(alices, text="Ada")
    assert one.answered() == "Ada"


def test_a_form_with_mistakes_stays_filled(alice: User, alices: Visitor) -> None:
    one = asked(alice, "form")
    alices.get(one.page)
    for text in ("Where shall we ship it?", "Street", "How many", "1 to 9", "As a gift", "(optional)"):
        assert text in alices.page
    wrong = one.send(alices, f0="Mill Lane", f1="12", f2="on", f3="")
    assert wrong.status_code == 400
    assert 'value="Mill Lane"' in alices.page
    assert alices.page.count('aria-invalid="true"') == 2
    assert 'id="message"' in alices.page, "the whole page is there"
    one.send(alices, f0="Mill Lane", f1="2", f2="on", f3="1", f4="")
    assert one.answered() == {"street": "Mill Lane", "count": 2, "gift": True, "size": "large"}
    alices.get(one.page)
    assert "<dt>How many</dt><dd>2</dd>" in alices.page


def test_what_no_field_checks_is_said_beside_it(alice: User, alices: Visitor) -> None:
    schema = {"properties": {"n": {"type": "integer", "multipleOf": 5}, "tags": {"type": "array"}}, "minProperties": 2}
    one = Asked(alice, "form", schema)
    assert one.send(alices, f0="7", f1='["a"]').status_code == 400
    assert "7 is not a multiple of 5" in alices.page
    assert 'id="ask-' in alices.page
    assert one.send(alices, f0="5", f1="{").status_code == 400
    assert one.send(alices, f0="5").status_code == 400, "minProperties"
    one.send(alices, f0="5", f1='["a"]')
    assert one.answered() == {"n": 5, "tags": ["a"]}


def test_a_piece_of_the_page_for_scripts(alice: User, alices: Visitor) -> None:
    one = asked(alice, "text")
    assert one.send(alices, partial="1", text="").status_code == 400
    assert "<html" not in alices.page
    assert "data-answer" in alices.page
    assert one.send(alices, partial="1", text="Ada").status_code == 204
    assert one.send(alices, partial="1", text="Eve").status_code == 204, "somebody was faster: the event tells"
    assert one.answered() == "Ada"


def test_who_may_not_write_sees_no_form(
    alice: User, bob: User, bobs: Visitor, mallorys: Visitor, alices: Visitor
) -> None:
    one = asked(alice, "approval")
    members.add(actor=alice, conversation=one.conversation, user=bob.username, role="viewer").result(30)
    bobs.get(one.page)
    assert "Send the invoice?" in bobs.page
    assert "data-answer" not in bobs.page
    assert one.send(bobs, choice="yes").status_code == 403
    assert one.send(mallorys, choice="yes").status_code == 404
    other = conversation_with(alice, "asker")
    assert alices.post(f"/c/{other}/answer/", run=str(one.run), step=one.step, choice="yes").status_code == 404
    assert alices.post(f"{one.page}answer/", run=str(one.run), step="x", choice="yes").status_code == 404
    assert alices.post(f"{one.page}answer/", run="x", step="x").status_code == 400
    assert one.answered() is None


def test_what_was_stopped_cannot_be_answered(alice: User, alices: Visitor) -> None:
    one = asked(alice, "approval")
    runs.stop(user=alice, run=Run.objects.get(id=one.run)).result()
    alices.get(one.page)
    assert "Nobody answered this." in alices.page
    assert one.send(alices, choice="yes").status_code == 302
    assert one.answered() is None


def test_hostile_schemas_are_text(alice: User, alices: Visitor) -> None:
    bad = "<script>alert(1)</script>"
    one = Asked(alice, "form", {"title": bad, "description": bad, "properties": {bad: {"title": bad, "enum": [bad]}}})
    assert alices.get(one.page).status_code == 200
    assert bad not in alices.page
    step = next(step for step in wire.run(Run.objects.get(id=one.run))["steps"] if asking.is_ask(step))
    assert step["schema"]["title"] == bad


@pytest.mark.parametrize(
    "properties",
    [{"a": True}, {"a": {"type": ["null", "string"]}}, {"a": {}}, {"a": {"type": "object"}}, {"a": {"enum": []}},
     {"a": {"type": "string", "maxLength": 3.0, "default": 5}},
     {"a": {"type": "number", "minimum": -1.5, "default": []}}],
)  # fmt: skip
def test_odd_schemas_are_asked_all_the_same(alice: User, alices: Visitor, properties: dict[str, Any]) -> None:
    one = Asked(alice, "form", {"properties": properties})
    assert alices.get(one.page).status_code == 200
    assert "data-answer" in alices.page
    assert one.send(alices, f0="\x00").status_code == 400


def test_in_chinese(alice: User, alices: Visitor) -> None:
    one = asked(alice, "approval")
    alices.client.cookies["django_language"] = "zh-hans"
    alices.get(one.page)
    assert "是" in alices.page
    assert "否" in alices.page
