"""Beginning from a template, with JavaScript off."""

import re
from typing import Any

import pytest

from accounts.models import User
from conversations.models import Conversation
from tests.conversations.support import frames
from tests.conversations.templating.support import new_staff, new_template
from tests.conversations.views.visitor import Visitor

GIVEN = {"given-customer": "Ada", "given-amount": "12.5", "given-tone": ""}
EVERY_TYPE = [
    {"name": "note", "max_length": 1000, "required": False},
    {"name": "plan", "type": "choice", "choices": ["free", "paid"], "label": "Which plan?"},
    {"name": "day", "type": "date", "default": "2026-11-21"},
    {"name": "urgent", "type": "boolean", "default": True},
    {"name": "once", "label": "A name of ours"},
]


def newest(user: User) -> Conversation:
    return Conversation.objects.filter(owner=user).order_by("-created_at")[0]


def test_the_front_page_offers_what_is_offered(alices: Visitor) -> None:
    shown, plain = new_template(name="! Money back"), new_template(name="! Just talk", variables=[], **WITHOUT)
    hidden = new_template(name="! Not yet", active=False), new_template(name="! Ours", visibility="staff")
    alices.get("/")
    assert f'href="/begin/{shown.slug}/"' in alices.page
    assert f'action="/begin/{plain.slug}/"' in alices.page
    assert all(row.slug not in alices.page for row in hidden)


WITHOUT: dict[str, Any] = {"title": "Talk", "pinned": [], "metadata": {}, "system": ["Be kind."]}


def test_what_is_asked_for_opens_the_conversation(alices: Visitor, alice: User) -> None:
    row = new_template()
    alices.get(f"/begin/{row.slug}/")
    assert "Customer&#x27;s name" in alices.page
    assert re.search(r'name="given-customer"[^>]*required', alices.page)
    assert not re.search(r'name="given-tone"[^>]*required', alices.page)
    begun = alices.post(f"/begin/{row.slug}/", **GIVEN, once="1")
    conversation = newest(alice)
    assert (begun.status_code, begun.headers["Location"]) == (302, f"/c/{conversation.id}/")
    alices.get(f"/c/{conversation.id}/")
    assert "Refund for Ada" in alices.page
    assert "Customer: Ada, amount: 12.5" in alices.page
    assert alices.page.count('class="system-note"') == 2


def test_errors_keep_what_was_given(alices: Visitor, alice: User) -> None:
    row = new_template()
    before = Conversation.objects.filter(owner=alice).count()
    answer = alices.post(f"/begin/{row.slug}/", **{**GIVEN, "given-amount": "much"}, once="1")
    assert answer.status_code == 400
    assert 'value="Ada"' in alices.page
    assert 'value="much"' in alices.page
    assert "Enter a number." in alices.page
    assert Conversation.objects.filter(owner=alice).count() == before


def test_sent_twice_is_one(alices: Visitor) -> None:
    row = new_template()
    first = alices.post(f"/begin/{row.slug}/", **GIVEN, once="1").headers["Location"]
    assert alices.post(f"/begin/{row.slug}/", **GIVEN, once="1").headers["Location"] == first
    other = alices.post(f"/begin/{row.slug}/", **{**GIVEN, "given-customer": "Bo"}, once="1").headers["Location"]
    assert other != first


def test_every_type_has_its_field(alices: Visitor, alice: User) -> None:
    row = new_template(
        variables=EVERY_TYPE, **{**WITHOUT, "title": "{{ note }}|{{ plan }}|{{ day }}|{{ urgent }}|{{ once }}"}
    )
    alices.get(f"/begin/{row.slug}/")
    for field in (
        "<textarea",
        "<select",
        'type="date"',
        'value="2026-11-21"',
        'type="checkbox"',
        "checked",
        "Which plan?",
    ):
        assert field in alices.page, field
    given = {"given-plan": "paid", "given-day": "2026-12-24", "given-once": "x", "given-note": "", "once": "1"}
    alices.post(f"/begin/{row.slug}/", **given)
    assert frames(newest(alice).id)[0]["data"]["title"] == "|paid|2026-12-24|no|x"


def test_nothing_to_ask_for(alices: Visitor, alice: User) -> None:
    row = new_template(variables=[], **WITHOUT)
    alices.post(f"/begin/{row.slug}/", once="1")
    assert frames(newest(alice).id)[0]["data"]["template"]["slug"] == row.slug


def test_without_an_assistant_the_usual_one_answers(alices: Visitor, alice: User) -> None:
    row = new_template(assistant=None)
    alices.post(f"/begin/{row.slug}/", **GIVEN, once="1")
    assert newest(alice).assistant == "guide"


@pytest.mark.parametrize("changes", [{"active": False}, {"visibility": "staff"}])
def test_what_is_not_offered_is_not_there(alices: Visitor, changes: dict[str, Any]) -> None:
    row = new_template(**changes)
    assert alices.get(f"/begin/{row.slug}/").status_code == 404
    assert alices.post(f"/begin/{row.slug}/", **GIVEN, once="1").status_code == 404


def test_mallorys_markup_is_text(mallorys: Visitor, mallory: User) -> None:
    row = new_template(name="<b>x</b>", description="<script>alert(1)</script>")
    mallorys.get(f"/begin/{row.slug}/")
    assert "<script>alert(1)" not in mallorys.page
    mallorys.post(f"/begin/{row.slug}/", **{**GIVEN, "given-customer": "<script>alert(2)</script>"}, once="1")
    mallorys.get(f"/c/{newest(mallory).id}/")
    assert "<script>alert(2)" not in mallorys.page
    assert "alert(2)" in mallorys.page


def test_staff_see_their_own() -> None:
    row = new_template(name="! For staff", visibility="staff")
    visitor = Visitor(new_staff())
    visitor.get("/")
    assert row.slug in visitor.page
