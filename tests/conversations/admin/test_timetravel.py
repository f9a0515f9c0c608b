"""Earlier states in the admin: looked at with a trace, compared, gone back to."""

import random
import time
from uuid import UUID

from django.test import Client

from accounts.models import AuditEntry, User
from conversations.models import Conversation, Event, Message, Snapshot
from conversations.services import messages, revisions
from tests.conversations.admin.conftest import QUESTION, SECRETS, Case

CONVERSATIONS = "/admin/conversations/conversation/"


def base(id_: UUID) -> str:
    return f"{CONVERSATIONS}{id_}/"


def entries(action: str, id_: UUID) -> int:
    return AuditEntry.objects.filter(action=action, target_id=str(id_)).count()


def edited(alice: User, conversation: UUID, before: str = "Before", after: str = "After") -> UUID:
    said = messages.send(user=alice, conversation=conversation, text=before, cmid="1").result(10)
    message = UUID(said.main["data"]["message"])
    revisions.edit(user=alice, conversation=conversation, message=message, text=after).result(10)
    return conversation


def test_states_are_shown_compared_and_audited(root: Client, alice: User, conversation: UUID) -> None:
    edited(alice, conversation)
    page = root.get(f"{base(conversation)}timetravel/?seq=3&with=4").content.decode()
    assert "- 3 Alice: Before" in page
    assert "+ 3 Alice: After" in page
    entry = AuditEntry.objects.get(action="conversation.read", target_id=str(conversation))
    assert entry.detail == {"what": "states [3, 4]"}


def prose(seed: int, lines: int = 350) -> str:
    some = random.Random(seed)
    return "\n".join(" ".join(f"w{some.randrange(3000)}" for _ in range(15)) for _ in range(lines))


def test_long_texts_are_compared_at_once(root: Client, alice: User, conversation: UUID) -> None:
    before, after = (prose(seed) for seed in (1, 2))
    edited(alice, conversation, before, after)
    began = time.monotonic()
    page = root.get(f"{base(conversation)}timetravel/?seq=3&with=4").content.decode()
    assert f"\n- {before.splitlines()[-1]}\n" in page
    assert f"\n+ {after.splitlines()[-1]}\n" in page
    assert time.monotonic() - began < 5


def test_without_the_right_nothing_is_read(clerk: Client, case: Case) -> None:
    page = clerk.get(f"{base(case.conversation)}timetravel/?seq=3").content.decode()
    assert not [word for word in SECRETS if word in page]
    assert "withheld" in page
    assert entries("conversation.read", case.conversation) == 0
    for act in ("snapshot", "verify", "restore"):
        assert clerk.post(f"{base(case.conversation)}{act}/", {"seq": "1"}).status_code == 403


def test_one_is_taken_and_gone_back_to(root: Client, alice: User, conversation: UUID) -> None:
    edited(alice, conversation)
    assert root.post(f"{base(conversation)}snapshot/").status_code == 302
    assert Snapshot.objects.get(conversation=conversation).seq == 4
    assert root.post(f"{base(conversation)}restore/", {"seq": "3"}).status_code == 302
    assert Event.objects.filter(conversation=conversation).latest("seq").data == {"to_seq": 3}
    assert entries("conversation.restored", conversation) == 1
    page = root.get(f"{base(conversation)}timetravel/?seq=5").content.decode()
    assert "Before" in page
    root.post(f"{base(conversation)}restore/", {"seq": "99"})
    assert Conversation.objects.get(id=conversation).last_seq == 5


def test_verifying_repairs_and_tells(root: Client, case: Case) -> None:
    Message.objects.filter(conversation=case.conversation, role="user").update(pinned=True)
    answer = root.post(f"{base(case.conversation)}verify/", follow=True)
    page = answer.content.decode()
    assert "pinned is True, by the log False" in page
    assert "Score: 1" in page
    assert QUESTION not in page
    assert entries("conversation.repaired", case.conversation) == 1


def test_a_participant_is_found_by_what_snapshots_hold(root: Client, bob: User, conversation: UUID) -> None:
    messages.send(user=bob, conversation=conversation, text="I am Bob", cmid="1").result(10)
    path = f"{CONVERSATIONS}?q={bob.id}"
    assert str(conversation) not in root.get(path).content.decode()
    root.post(f"{base(conversation)}snapshot/")
    assert str(conversation) in root.get(path).content.decode()


def test_what_is_not_there(root: Client, case: Case) -> None:
    assert root.get(f"{base(case.ended)}timetravel/").status_code == 404
    assert root.get(f"{base(case.conversation)}timetravel/?seq=x").status_code == 200
