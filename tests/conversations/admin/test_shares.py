"""Staff see what was given to strangers, and end it."""

from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from conversations.models import Share
from conversations.services import shares
from conversations.services.shares import Wish
from tests.conversations.admin.conftest import browser, new_staff
from tests.conversations.admin.test_acting import act, audited

SHARES = "/admin/conversations/share/"


@pytest.fixture
def share(alice: User, conversation: UUID) -> Share:
    row, _ = shares.create(
        user=alice, conversation=conversation, wish=Wish(mode="live", password="open sesame", max_views=9)
    )
    return row


def test_shares_are_listed_without_what_opens_them(root: Client, alice: User, share: Share) -> None:
    for looked_for in (share.id, share.conversation_id, alice.id, alice.username):
        page = root.get(f"{SHARES}?q={looked_for}").content.decode()
        assert str(share.id) in page
        assert "0/9" in page
    shown = root.get(f"{SHARES}{share.id}/change/").content.decode()
    assert alice.username in shown
    for hidden in (share.password, share.digest.hex()):
        assert hidden not in page + shown


def test_revoking_one(root: Client, root_user: User, share: Share) -> None:
    assert "1 link was revoked." in act(root, SHARES, "revoke_selected", share.id)
    assert not Share.objects.filter(id=share.id).exists()
    assert [entry.actor for entry in audited("share.revoked", share.id)] == [root_user]


def test_who_only_looks_revokes_none(share: Share) -> None:
    act(browser(new_staff("Clerk", "view_share")), SHARES, "revoke_selected", share.id)
    assert Share.objects.filter(id=share.id).exists()
