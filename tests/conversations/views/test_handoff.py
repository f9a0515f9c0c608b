"""Asking for a person on the page, and answering as one."""

from uuid import UUID

from accounts.models import User
from conversations.models import Conversation
from conversations.services import handoff, members
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.assistants.support import conversation_with
from tests.conversations.support import frames
from tests.conversations.views.visitor import Visitor


def status(conversation: UUID) -> str:
    return Conversation.objects.get(id=conversation).status


def test_from_the_menu_to_a_person_and_back(alice: User, bob: User, alices: Visitor, bobs: Visitor) -> None:
    conversation = conversation_with(alice)
    members.add(actor=alice, conversation=conversation, user=bob.username, role="agent").result(30)
    page = f"/c/{conversation}/"
    alices.get(page)
    assert f'href="{page}handoff/"' in alices.page
    assert "Waiting for a person" not in alices.page
    alices.get(f"{page}handoff/")
    assert "What is it about?" in alices.page
    assert alices.post(f"{page}handoff/", reason="A refund").headers["Location"] == page
    assert frames(conversation)[-1]["data"] == {"to": "human", "reason": "A refund"}
    alices.get(page)
    assert "Waiting for a person. Assistants are silent." in alices.page
    assert f"{page}claim/" not in alices.page
    alices.get(f"{page}handoff/")
    assert "A person was asked for already." in alices.page

    bobs.get(page)
    assert f'action="{page}claim/"' in bobs.page
    bobs.post(f"{page}claim/")
    bobs.get(page)
    assert "You answer here." in bobs.page
    alices.get(f"{page}standing/")
    assert "Bob answers here." in alices.page
    assert "<html" not in alices.page
    bobs.post(page, message="How can I help?")
    alices.get(page)
    assert 'class="message agent complete"' in alices.page
    assert '<span class="mark">Agent</span>' in alices.page
    bobs.post(f"{page}release/")
    assert status(conversation) == "open"


def test_staff_who_hand_it_back_are_led_to_their_own(alice: User) -> None:
    conversation = conversation_with(alice)
    for act, form in (("release", {}), ("handoff", {"reason": "About taxes"})):
        handoff.hand_off(user=alice, conversation=conversation).result(30)
        dora = new_staff("Dora", "answer_as_agent")
        handoff.claim(user=dora, conversation=conversation).result(30)
        answer = browser(dora).post(f"/c/{conversation}/{act}/", form)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_refused_reason_stays(alice: User, alices: Visitor) -> None:
    page = f"/c/{conversation_with(alice)}/handoff/"
    assert alices.post(page, reason="long " * 200).status_code == 400
    assert "long long" in alices.page
    assert 'role="alert"' in alices.page


def test_who_was_too_late_sees_who_has_it(alice: User, bob: User, mallory: User, mallorys: Visitor) -> None:
    conversation = conversation_with(alice)
    for agent in (bob, mallory):
        members.add(actor=alice, conversation=conversation, user=agent.username, role="agent").result(30)
    handoff.claim(user=bob, conversation=conversation).result(30)
    assert mallorys.post(f"/c/{conversation}/claim/").headers["Location"] == f"/c/{conversation}/"
    mallorys.get(f"/c/{conversation}/")
    assert "Bob answers here." in mallorys.page


def test_readers_have_no_buttons(alice: User, bob: User, bobs: Visitor) -> None:
    conversation = conversation_with(alice)
    members.add(actor=alice, conversation=conversation, user=bob.username, role="viewer").result(30)
    handoff.hand_off(user=alice, conversation=conversation).result(30)
    bobs.get(f"/c/{conversation}/")
    assert "Waiting for a person" in bobs.page
    assert "/release/" not in bobs.page
    assert "/handoff/" not in bobs.page
