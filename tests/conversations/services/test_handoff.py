"""Who answers: assistants, a person of those who answer for the service, and assistants again."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, User
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from conversations import handing, wire
from conversations.models import Conversation, Member, Message, Run
from conversations.services import (
    branches,
    conversations,
    deserted,
    handoff,
    leaving,
    lifecycle,
    members,
    messages,
    runs,
)
from tests.conftest import new_user
from tests.conversations.assistants.support import ask, asked, conversation_with
from tests.conversations.services.people import desk, handed, standing, taken, told, waiting
from tests.conversations.support import frames, refusal, replayed, say
from tests.conversations.transfer.importing import exported, imported


def test_from_the_assistant_to_a_person_and_back(alice: User) -> None:
    conversation, claim = asked(alice)
    ask(alice, conversation, "Second")
    handed = handoff.hand_off(user=alice, conversation=conversation, reason="A refund").result(30)
    assert handed.main["data"] == {"to": "human", "reason": "A refund"}
    assert standing(conversation) == ("waiting", None)
    assert set(Run.objects.filter(conversation=conversation).values_list("status", flat=True)) == {"stopped"}
    assert refusal(runs.end(claim=claim, status="completed", text="late")) == "run_not_active"
    replayed(conversation)

    agent = desk()
    handoff.claim(user=agent, conversation=conversation).result(30)
    assert standing(conversation) == ("with_agent", agent.id)
    assert Member.objects.get(conversation=conversation, user=agent).role == "agent"
    message = Message.objects.get(id=say(agent, conversation, "How can I help?"))
    assert (message.role, message.author_id) == ("agent", str(agent.id))
    assert [one["actor"]["kind"] for one in frames(conversation)][-1] == "agent"
    replayed(conversation)

    handoff.release(user=agent, conversation=conversation).result(30)
    assert standing(conversation) == ("open", None)
    assert ask(alice, conversation, "And now?").status == "queued"
    assert told(conversation) == [("human", "user"), (str(agent.id), "agent"), ("assistant", "agent")]
    assert AuditEntry.objects.filter(action="conversation.claimed", actor=agent).count() == 1
    replayed(conversation)


def test_assistants_are_silent_meanwhile(alice: User) -> None:
    conversation, claim = asked(alice)
    runs.end(claim=claim, status="completed", text="An answer").result(30)
    handoff.hand_off(user=alice, conversation=conversation).result(30)
    say(alice, conversation, "Is anybody there?")
    named = messages.send(user=alice, conversation=conversation, text="You?", cmid="n", assistant="guide")
    again = branches.regenerate(user=alice, conversation=conversation, message=claim.message)
    assert (refusal(named), refusal(again)) == ("conflict", "conflict")
    assert not Run.objects.filter(conversation=conversation, ended_at=None).exists()
    replayed(conversation)


def test_twice_is_once(alice: User) -> None:
    conversation, agent = taken(alice)
    head = len(frames(conversation))
    for verb, who in ((handoff.hand_off, alice), (handoff.claim, agent)):
        assert verb(user=who, conversation=conversation).result(30).frames == ()
    assert len(frames(conversation)) == head
    handoff.release(user=agent, conversation=conversation).result(30)
    assert handoff.release(user=alice, conversation=conversation).result(30).frames == ()


def test_the_second_agent_is_told_who_was_first(alice: User) -> None:
    conversation, agent = taken(alice)
    late = handoff.claim(user=desk(), conversation=conversation).exception(30)
    assert isinstance(late, Problem)
    assert (late.code.name, late.extra) == ("conflict", {"agent": {"id": str(agent.id), "name": "Dora"}})
    assert "Dora" in late.detail


def test_who_may_claim(alice: User, bob: User, mallory: User) -> None:
    conversation = waiting(alice)
    agent = new_user("Agent")
    for user, role in ((bob, "editor"), (agent, "agent")):
        members.add(actor=alice, conversation=conversation, user=user.username, role=role).result(30)
    codes = [refusal(handoff.claim(user=user, conversation=conversation)) for user in (alice, bob, mallory)]
    assert codes == ["forbidden", "forbidden", "not_found"]
    handoff.claim(user=agent, conversation=conversation).result(30)
    assert standing(conversation) == ("with_agent", agent.id)


def test_staff_take_what_waits_and_nothing_else(alice: User, bob: User) -> None:
    conversation, agent = conversation_with(alice), desk()
    assert refusal(handoff.claim(user=agent, conversation=conversation)) == "not_found"
    User.objects.filter(id=alice.id).update(is_superuser=True, is_staff=True)
    handoff.hand_off(user=alice, conversation=conversation).result(30)
    owner = User.objects.get(id=alice.id)
    assert refusal(handoff.claim(user=owner, conversation=conversation)) == "forbidden", "it is her own"
    members.add(actor=alice, conversation=conversation, user=agent.username, role="viewer").result(30)
    handoff.claim(user=agent, conversation=conversation).result(30)
    assert Member.objects.get(conversation=conversation, user=agent).role == "agent"
    replayed(conversation)


def test_a_member_with_the_role_takes_it_at_any_time_and_answers_stop(alice: User, bob: User) -> None:
    conversation, claim = asked(alice)
    members.add(actor=alice, conversation=conversation, user=bob.username, role="agent").result(30)
    handoff.claim(user=bob, conversation=conversation).result(30)
    assert Run.objects.get(id=claim.run).status == "stopped"
    replayed(conversation)


def test_who_hands_it_back(alice: User, bob: User) -> None:
    conversation, _ = taken(alice)
    other = new_user("Other")
    for user, role in ((bob, "viewer"), (other, "agent")):
        members.add(actor=alice, conversation=conversation, user=user.username, role=role).result(30)
    assert refusal(handoff.release(user=bob, conversation=conversation)) == "forbidden"
    assert refusal(handoff.release(user=other, conversation=conversation)) == "forbidden", "another agent has it"
    handoff.release(user=alice, conversation=conversation).result(30)
    assert standing(conversation) == ("open", None)


def test_an_agent_asks_for_a_colleague(alice: User) -> None:
    conversation, agent = taken(alice)
    handoff.hand_off(user=agent, conversation=conversation, reason="About taxes").result(30)
    assert standing(conversation) == ("waiting", None)
    replayed(conversation)


@pytest.mark.parametrize("how", ["leaves", "is removed", "becomes a viewer", "closes the account"])
def test_without_its_agent_it_waits_again(alice: User, how: str) -> None:
    conversation, agent = taken(alice)
    if how == "closes the account":
        leaving.leave_all(user=str(agent.id))
    elif how == "becomes a viewer":
        members.change(actor=alice, conversation=conversation, user=agent.id, role="viewer").result(30)
    else:
        actor = agent if how == "leaves" else alice
        members.remove(actor=actor, conversation=conversation, user=agent.id).result(30)
    assert standing(conversation) == ("waiting", None)
    assert told(conversation)[-1][0] == "human"
    replayed(conversation)


def test_when_the_agents_account_is_switched_off_it_waits_again(alice: User) -> None:
    conversation, agent = taken(alice)
    other, busy = taken(alice)
    User.objects.filter(id=agent.id).update(is_active=False)
    deserted.mend()
    assert standing(conversation) == ("waiting", None)
    assert told(conversation)[-1] == ("human", "system")
    assert not Member.objects.filter(conversation=conversation, user=agent).exists()
    assert standing(other) == ("with_agent", busy.id)
    head = len(frames(conversation))
    deserted.mend()
    assert handoff.hand_back(conversation=other, agent=agent.id).result(30).frames == ()
    assert len(frames(conversation)) == head
    replayed(conversation)


@pytest.mark.parametrize("how", ["released", "released by its owner", "a colleague", "closed", "archived", "idle"])
def test_staff_are_members_as_long_as_they_answer(alice: User, settings: Settings, how: str) -> None:
    conversation, agent = taken(alice)
    say(agent, conversation, "Your refund is on its way.")
    if how == "a colleague":
        handoff.hand_off(user=agent, conversation=conversation, reason="About taxes").result(30)
    elif how == "closed":
        conversations.update(user=alice, conversation=conversation, changes={"status": "closed"}).result(30)
    elif how == "archived":
        conversations.archive(user=alice, conversation=conversation).result(30)
    elif how == "idle":
        settings.ARCHIVE_AFTER_DAYS = 7
        Conversation.objects.filter(id=conversation).update(updated_at=clock.now() - timedelta(days=8))
        lifecycle.archive_idle()
    else:
        handoff.release(user=alice if "owner" in how else agent, conversation=conversation).result(30)
    assert standing(conversation)[1] is None
    assert not Member.objects.filter(conversation=conversation, user=agent).exists()
    assert frames(conversation)[-1]["data"] == {"user": str(agent.id), "role": "agent"}
    assert refusal(handoff.release(user=agent, conversation=conversation)) == "not_found"
    replayed(conversation)


def test_who_was_a_member_before_is_one_afterwards(alice: User, bob: User) -> None:
    """In the role of before, unless that was changed meanwhile."""
    viewer, changed, invited = desk(), desk(), bob
    conversation = waiting(alice)
    for user, role in ((viewer, "viewer"), (changed, "viewer"), (invited, "agent")):
        members.add(actor=alice, conversation=conversation, user=user.username, role=role).result(30)
    roles = []
    for agent in (viewer, changed, invited):
        handoff.claim(user=agent, conversation=conversation).result(30)
        assert Member.objects.get(conversation=conversation, user=agent).role == "agent"
        if agent == changed:
            members.change(actor=alice, conversation=conversation, user=agent.id, role="editor").result(30)
        else:
            handoff.hand_off(user=agent, conversation=conversation).result(30)
        roles.append(Member.objects.get(conversation=conversation, user=agent).role)
    assert roles == ["viewer", "editor", "agent"]
    replayed(conversation)


def test_who_takes_over_from_somebody_whose_account_is_off(alice: User) -> None:
    conversation, agent = taken(alice)
    User.objects.filter(id=agent.id).update(is_active=False)
    handoff.claim(user=desk(), conversation=conversation).result(30)
    assert not Member.objects.filter(conversation=conversation, user=agent).exists()
    replayed(conversation)


def test_other_agents_come_and_go_without_effect(alice: User, bob: User) -> None:
    conversation, agent = taken(alice)
    members.add(actor=alice, conversation=conversation, user=bob.username, role="agent").result(30)
    members.remove(actor=bob, conversation=conversation, user=bob.id).result(30)
    members.change(actor=alice, conversation=conversation, user=agent.id, role="agent").result(30)
    assert standing(conversation) == ("with_agent", agent.id)


def test_what_an_agent_has_whose_account_is_off_can_be_taken(alice: User) -> None:
    conversation, agent = taken(alice)
    User.objects.filter(id=agent.id).update(is_active=False)
    other = desk()
    handoff.claim(user=other, conversation=conversation).result(30)
    assert standing(conversation) == ("with_agent", other.id)


@pytest.mark.parametrize("status", ["closed", "archived", "open"])
def test_closing_ends_it(alice: User, bob: User, status: str) -> None:
    conversation, agent = waiting(alice), bob
    members.add(actor=alice, conversation=conversation, user=agent.username, role="agent").result(30)
    handoff.claim(user=agent, conversation=conversation).result(30)
    conversations.update(user=alice, conversation=conversation, changes={"status": status}).result(30)
    assert standing(conversation) == (status, None)
    if status != "open":
        for verb, who in ((handoff.hand_off, alice), (handoff.claim, agent), (handoff.release, agent)):
            assert refusal(verb(user=who, conversation=conversation)) == "conversation_closed"
    replayed(conversation)


def test_idle_ones_are_archived_all_the_same(alice: User, settings: Settings) -> None:
    settings.ARCHIVE_AFTER_DAYS = 7
    conversation = waiting(alice)
    Conversation.objects.filter(id=conversation).update(updated_at="2020-01-01T00:00:00Z")
    lifecycle.archive_idle()
    assert standing(conversation) == ("archived", None)


def test_an_assistant_that_hands_over_ends_its_answer(alice: User) -> None:
    conversation, claim = asked(alice)
    ask(alice, conversation, "Second")
    handoff.hand_over(claim=claim, reason="Beyond me", text="A colleague comes.", usage={"total_tokens": 3}).result(30)
    assert standing(conversation) == ("waiting", None)
    statuses = Run.objects.filter(conversation=conversation).order_by("queued_seq").values_list("status", flat=True)
    assert list(statuses) == ["completed", "stopped"]
    assert wire.message_text(Message.objects.get(id=claim.message)) == "A colleague comes."
    assert frames(conversation)[-1]["data"] == {"to": "human", "reason": "Beyond me"}
    assert told(conversation) == [("human", "assistant")]
    assert handoff.hand_over(claim=claim, text="A colleague comes.").result(30).dup
    replayed(conversation)


def test_in_an_archived_conversation_only_the_answer_ends(alice: User) -> None:
    conversation, claim = asked(alice)
    conversations.archive(user=alice, conversation=conversation).result(30)
    handoff.hand_over(claim=claim, text="Too late.").result(30)
    assert standing(conversation) == ("archived", None)
    assert Run.objects.get(id=claim.run).status == "completed"
    replayed(conversation)


def test_a_reason_is_short_sealed_and_screened(alice: User, settings: Settings) -> None:
    conversation, claim = asked(alice)
    with pytest.raises(Problem, match="invalid"):
        handoff.hand_off(user=alice, conversation=conversation, reason="x" * (settings.REASON_MAX_LENGTH + 1))
    for bad in (5, "a\0b", "\ud800"):
        with pytest.raises(Problem, match="invalid"):
            handoff.hand_off(user=alice, conversation=conversation, reason=bad)
    settings.PRIVACY_POLICY = "refuse"
    with pytest.raises(Problem, match="invalid"):
        handoff.hand_off(user=alice, conversation=conversation, reason="4111 1111 1111 1111")
    handoff.hand_over(claim=claim, text="", reason="4111 1111 1111 1111").result(30)
    assert frames(conversation)[-1]["data"] == {"to": "human"}
    other = waiting(alice, "Cardamom")
    row = Conversation.objects.get(id=other).events.latest("seq")
    assert "Cardamom" not in json.dumps(row.data)


def test_an_imported_handoff_is_history(alice: User) -> None:
    conversation, agent = waiting(alice, "Taxes"), desk()
    handoff.claim(user=agent, conversation=conversation).result(30)
    copy = imported(alice, exported(conversation))
    assert standing(copy) == ("open", None)
    before, after = ([one["type"] for one in frames(id_)] for id_ in (conversation, copy))
    assert after == before
    assert handed(copy)[0]["data"] == {"to": "human", "reason": "Taxes"}
    assert UUID(handed(copy)[1]["data"]["to"]) != agent.id, "nobody here"
    assert ask(alice, copy).status == "queued"
    replayed(copy)


def test_erasing_leaves_no_agent(alice: User) -> None:
    conversation, _ = taken(alice)
    leaving.leave_all(user=str(alice.id))
    row = Conversation.objects.get(id=conversation)
    assert (row.status, row.agent, row.erased) == ("archived", None, True)


def test_the_words_of_the_protocol() -> None:
    assert (handing.HUMAN, handing.ASSISTANT) == ("human", "assistant")
