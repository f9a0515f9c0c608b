"""The groups of staff: made by a migration, as the table has them."""

import pytest
from django.contrib.auth.models import Group

from accounts.models import User
from conversations.permissions import STAFF_GROUPS
from tests.conversations.admin.conftest import SECRETS, Case, browser, case, new_staff

__all__ = ["case"]


def in_group(name: str) -> User:
    user = new_staff(name.split()[0])
    user.groups.add(Group.objects.get(name=name))
    return User.objects.get(id=user.id)


@pytest.mark.parametrize("name", STAFF_GROUPS)
def test_a_group_has_what_the_table_says(name: str) -> None:
    assert in_group(name).get_all_permissions() == STAFF_GROUPS[name]


def test_only_administrators_read_content() -> None:
    readers = [name for name, may in STAFF_GROUPS.items() if "conversations.read_content" in may]
    assert readers == ["Administrators"]


@pytest.mark.parametrize(
    ("name", "reads", "audits"),
    [("Support agents", False, False), ("Auditors", False, True), ("Administrators", True, True)],
)
def test_what_a_group_sees(case: Case, name: str, *, reads: bool, audits: bool) -> None:
    client = browser(in_group(name))
    page = client.get(case.page)
    assert page.status_code == 200
    assert any(word in page.content.decode() for word in SECRETS) == reads
    assert (client.get("/admin/accounts/auditentry/").status_code == 200) == audits


@pytest.mark.parametrize("name", STAFF_GROUPS)
def test_no_group_gives_itself_more(name: str) -> None:
    """Who may change users still may not make anybody staff, or put anybody into a group."""
    user = in_group(name)
    assert not user.has_perm("auth.change_group")
    client = browser(user)
    fields = {"username": user.username, "groups": [], "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    client.post(f"/admin/accounts/user/{user.id}/change/", fields)
    assert not User.objects.get(id=user.id).is_superuser
