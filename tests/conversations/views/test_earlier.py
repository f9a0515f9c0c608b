"""Earlier states on the page: looked at, gone back to, and that undone."""

import re
from uuid import UUID

from accounts.models import User
from conversations.models import Snapshot
from conversations.services import snapshots
from tests.conversations.support import check_numbers, texts
from tests.conversations.views.visitor import Visitor, say


def test_one_is_looked_at_and_gone_back_to_and_that_is_undone(
    alices: Visitor, alice: User, conversation: UUID, thread: str
) -> None:
    say(alice, conversation, "Tea <b>at</b> four")
    kept = snapshots.take(conversation=conversation)
    say(alice, conversation, "No, coffee")
    alices.get(thread)
    assert f'href="{thread}earlier/"' in alices.page

    alices.get(f"{thread}earlier/?seq={kept.seq}")
    assert "1 message" in alices.page
    assert "Tea &lt;b&gt;at&lt;/b&gt; four" in alices.page
    assert "No, coffee" not in alices.page

    assert alices.post(f"{thread}earlier/", seq=kept.seq).headers["Location"] == thread
    assert shown(alices, thread) == ["Tea"]
    present = Snapshot.objects.filter(conversation=conversation).order_by("-seq").first()
    assert present is not None
    assert present.seq == kept.seq + 1
    alices.post(f"{thread}earlier/", seq=present.seq)
    assert shown(alices, thread) == ["Tea", "No, coffee"]
    assert texts(conversation) == ["Tea <b>at</b> four", "No, coffee"]


def shown(visitor: Visitor, thread: str) -> list[str]:
    visitor.get(thread)
    return re.findall("Tea|No, coffee", "".join(re.findall(r'<div class="prose">(.*?)</div>', visitor.page, re.S)))


def test_the_present_state_is_kept_when_asked_for(alices: Visitor, conversation: UUID, thread: str) -> None:
    alices.get(f"{thread}earlier/")
    assert "There is none yet" in alices.page
    assert alices.post(f"{thread}earlier/").headers["Location"] == f"{thread}earlier/"
    assert Snapshot.objects.filter(conversation=conversation).count() == 1
    alices.get(f"{thread}earlier/?seq=1")
    assert "Nothing had been said yet." in alices.page


def test_numbers_that_are_none_of_the_log(alices: Visitor, conversation: UUID, thread: str) -> None:
    before = check_numbers(conversation)
    for seq, status in (("99", 404), ("0", 400), ("x", 400)):
        assert alices.get(f"{thread}earlier/?seq={seq}").status_code == status
        assert alices.post(f"{thread}earlier/", seq=seq).status_code == status
    assert check_numbers(conversation) == before


def test_only_for_the_owner(bobs: Visitor, mallorys: Visitor, thread: str) -> None:
    bobs.get(thread)
    assert "/earlier/" not in bobs.page
    for visitor, status in ((bobs, 403), (mallorys, 404)):
        assert visitor.get(f"{thread}earlier/").status_code == status
        assert visitor.post(f"{thread}earlier/", seq=1).status_code == status


def test_of_an_erased_one_there_is_none(alices: Visitor, thread: str) -> None:
    alices.post(f"{thread}erase/", sure="1")
    alices.get(thread)
    assert "/earlier/" not in alices.page
    assert alices.post(f"{thread}earlier/").status_code == 409
