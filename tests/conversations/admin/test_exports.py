"""Staff export what they select, if they may read it, and see how far exports are."""

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from accounts.models import User
from conversations.models import Export
from conversations.transfer import bulk
from tests.conversations.admin.conftest import Case

LIST = reverse("admin:conversations_conversation_changelist")
EXPORTS = reverse("admin:conversations_export_changelist")


def test_a_selection_is_exported(root: Client, root_user: User, case: Case) -> None:
    sent = {"action": "export_selected", ACTION_CHECKBOX_NAME: [str(case.conversation)]}
    assert root.post(LIST, sent).status_code == 302
    export = Export.objects.get(user=root_user)
    assert (export.by_staff, export.total) == (True, 1)
    assert "0/1" in root.get(EXPORTS).content.decode()

    bulk.work(str(export.id))
    assert "1/1" in root.get(EXPORTS).content.decode()
    assert root.get(reverse("admin:conversations_export_change", args=[export.id])).status_code == 200


def test_not_without_the_right_to_read(clerk: Client, case: Case) -> None:
    before = Export.objects.count()
    clerk.post(LIST, {"action": "export_selected", ACTION_CHECKBOX_NAME: [str(case.conversation)]})
    assert Export.objects.count() == before
    assert clerk.get(EXPORTS).status_code == 403
