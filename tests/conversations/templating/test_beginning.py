"""Conversations that begin from a template: Alice fills it in, Mallory tries to get more out of it."""

from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings
from pytest_django import Settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.crypto import is_sealed
from conversations.models import Conversation, Message
from conversations.services import conversations, templates
from tests.api import Api
from tests.conversations.support import frames, replayed
from tests.conversations.templating.support import new_staff, new_template, slug

# The id of nothing.
NOBODY = "01900000-0000-7000-8000-000000000000"

INPUTS = {"customer": "Ada", "amount": 12.5}


def begun(api: Api, template: Any, inputs: Any = None, **more: Any) -> Any:
    answer = api.post("conversations/", {"template": template, "inputs": INPUTS if inputs is None else inputs, **more})
    assert answer.status == 201, answer.json
    return answer.json


def test_alice_begins_from_a_template(as_alice: Api, alice: User) -> None:
    template = new_template()
    conversation = begun(as_alice, template.slug)
    assert conversation["title"] == "Refund for Ada"
    assert (conversation["assistant"], conversation["tags"]) == ("guide", ["refund"])
    assert conversation["metadata"] == {"kind": "refund", "case": {"customer": "Ada", "steps": [1, "12.5"]}}

    new, first, second, pinned, pin = frames(UUID(conversation["id"]))
    assert new["type"] == "conversation:new"
    assert new["data"]["template"] == {"id": str(template.id), "slug": template.slug, "version": 1}
    assert [(one["actor"]["kind"], one["data"]["text"]) for one in (first, second)] == [
        ("system", "You help with refunds."), ("system", "Be brief."),
    ]  # fmt: skip
    assert (pinned["actor"]["id"], pinned["data"]["text"]) == (str(alice.id), "Customer: Ada, amount: 12.5")
    assert (pin["type"], pin["data"]) == ("message:pin", {"message": pinned["data"]["message"], "on": True})
    messages = as_alice.get(f"conversations/{conversation['id']}/messages/").json["results"]
    assert [(one["role"], one["pinned"]) for one in messages] == [("system", False), ("system", False), ("user", True)]
    assert all(one["run"] is None for one in messages), "nobody asked for an answer yet"
    replayed(UUID(conversation["id"]))


def test_its_texts_are_sealed_in_the_conversation(as_alice: Api) -> None:
    conversation = begun(as_alice, new_template().slug)
    rows = Message.objects.filter(conversation=conversation["id"])
    assert all(is_sealed(row.text) for row in rows)
    assert is_sealed(Conversation.objects.get(id=conversation["id"]).title)


def test_by_id_and_with_a_first_message(as_alice: Api) -> None:
    conversation = begun(as_alice, str(new_template().id), message="Please help")
    last = frames(UUID(conversation["id"]))[-1]
    assert (last["data"]["text"], last["data"]["assistant"]) == ("Please help", "guide")


def test_what_is_sent_stands_above_the_template(as_alice: Api) -> None:
    conversation = begun(as_alice, new_template().slug, title="Mine", metadata={"kind": "mine", "own": 1})
    assert conversation["title"] == "Mine"
    assert conversation["metadata"]["kind"] == "mine"
    assert conversation["metadata"]["case"]["customer"] == "Ada"


@pytest.mark.parametrize(
    ("inputs", "wrong"),
    [
        ({}, {"inputs.customer", "inputs.amount"}),
        ({"customer": "Ada"}, {"inputs.amount"}),
        ({**INPUTS, "amount": "much"}, {"inputs.amount"}),
        ({**INPUTS, "password": "x"}, {"inputs.password"}),
    ],
)
def test_missing_and_wrong_inputs(as_alice: Api, inputs: dict[str, Any], wrong: set[str]) -> None:
    before = as_alice.get("conversations/").json["results"]
    refused = as_alice.post("conversations/", {"template": new_template().slug, "inputs": inputs})
    assert (refused.status, refused.code, set(refused.json["errors"])) == (400, "invalid", wrong)
    assert as_alice.get("conversations/").json["results"] == before


def test_inputs_of_no_template(as_alice: Api) -> None:
    assert set(as_alice.post("conversations/", {"inputs": INPUTS}).json["errors"]) == {"inputs"}


def test_mallorys_braces_are_text(as_mallory: Api) -> None:
    """What is filled in is not evaluated again, wherever it goes."""
    template = new_template(system=["Secret code 4711. Customer: {{ customer }}"], title="{{ customer }}")
    inputs = {"customer": "{{ tone }}{% debug %}{{ amount }}", "amount": 1, "tone": "T"}
    conversation = begun(as_mallory, template.slug, inputs)
    assert conversation["title"] == "{{ tone }}{% debug %}{{ amount }}"
    assert conversation["metadata"]["case"]["customer"] == "{{ tone }}{% debug %}{{ amount }}"
    first = frames(UUID(conversation["id"]))[1]
    assert first["data"]["text"] == "Secret code 4711. Customer: {{ tone }}{% debug %}{{ amount }}"


@pytest.mark.parametrize("template", ["nowhere", NOBODY])
def test_no_such_template(as_alice: Api, template: str) -> None:
    refused = as_alice.post("conversations/", {"template": template})
    assert (refused.code, set(refused.json["errors"])) == ("invalid", {"template"})


def test_only_what_is_offered(as_alice: Api) -> None:
    for changes in ({"active": False}, {"visibility": "staff"}):
        row = new_template(**changes)
        assert as_alice.post("conversations/", {"template": row.slug, "inputs": INPUTS}).code == "invalid"
    staff = Api(tokens.issue(new_staff())["access"])
    assert begun(staff, new_template(visibility="staff").slug)["title"] == "Refund for Ada"


def test_an_assistant_that_is_gone(as_alice: Api) -> None:
    row = new_template()
    with override_settings(ASSISTANTS={"other": "conversations.assistants.builtin.guide.Guide"}):
        refused = as_alice.post("conversations/", {"template": row.slug, "inputs": INPUTS})
    assert set(refused.json["errors"]) == {"assistant"}


def test_the_same_key_is_one_conversation_even_after_the_template_changed(as_alice: Api) -> None:
    row = new_template()
    body = {"template": row.slug, "inputs": INPUTS}
    first = as_alice.post("conversations/", body, Idempotency_Key="k").json
    templates.change(staff=new_staff(), template=row, changes={"title": "Other {{ customer }}"})
    assert as_alice.post("conversations/", body, Idempotency_Key="k").json["id"] == first["id"]
    other = as_alice.post("conversations/", {**body, "inputs": {**INPUTS, "customer": "Bo"}}, Idempotency_Key="k")
    assert other.code == "idempotency_mismatch"


def test_a_change_is_seen_at_once(as_alice: Api) -> None:
    row = new_template()
    begun(as_alice, row.slug)
    templates.change(staff=new_staff(), template=row, changes={"title": "Money for {{ customer }}"})
    conversation = begun(as_alice, row.slug)
    assert conversation["title"] == "Money for Ada"
    assert frames(UUID(conversation["id"]))[0]["data"]["template"]["version"] == 2


def test_empty_messages_are_left_out_and_titles_are_short(as_alice: Api) -> None:
    row = new_template(system=["{{ tone }}"], pinned=[" {{ tone }} "], title="{{ customer }}\n{{ customer }}")
    conversation = begun(as_alice, row.slug, {"customer": "x" * 150, "amount": 1})
    assert (len(conversation["title"]), conversation["title"][-1]) == (200, "…")
    assert len(frames(UUID(conversation["id"]))) == 1


def test_too_long_once_it_is_filled_in(as_alice: Api, settings: Settings) -> None:
    settings.MESSAGE_MAX_LENGTH = 100
    row = new_template(pinned=["{{ customer }}"])
    body = {"template": row.slug, "inputs": {"customer": "x" * 101, "amount": 1}}
    assert as_alice.post("conversations/", body).code == "too_large"


def test_cards_in_inputs_are_taken_out(as_alice: Api) -> None:
    conversation = begun(as_alice, new_template().slug, {"customer": "Ada 4111 1111 1111 1111", "amount": 1})
    assert conversation["title"] == "Refund for Ada [REDACTED]"
    assert conversation["metadata"]["case"]["customer"] == "Ada [REDACTED]"


def test_system_messages_are_for_assistants_and_not_news(as_alice: Api, alice: User) -> None:
    """They are in the context of every answer, and do not count as unread."""
    conversation = begun(as_alice, new_template().slug)
    assert conversation["unread"] == 0


def test_a_template_without_variables(alice: User) -> None:
    row = templates.create(staff=new_staff(), given={"slug": slug(), "name": "Plain", "system": ["Hello"]})
    made = conversations.create(user=alice, template=row.slug).result()
    assert [frame["type"] for frame in frames(made.conversation.id)] == ["conversation:new", "message:new"]
