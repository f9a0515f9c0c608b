"""What staff can do, and what nobody can do by the admin."""

from uuid import UUID

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from accounts.models import AuditEntry, User
from chatproject.lib.errors import Problem
from conversations.models import Conversation, Event, Member, Message, Run
from conversations.services import runs
from tests.conversations.admin.conftest import Case, browser, new_staff

LIST = "/admin/conversations/conversation/"
RUNS = "/admin/conversations/run/"


def audited(action: str, target: UUID) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action, target_id=str(target)))


def act(client: Client, path: str, action: str, *ids: UUID) -> list[str]:
    """Choose an action of a list, offered or not; the sentences that are then shown."""
    answer = client.post(path, {"action": action, "_selected_action": [str(id_) for id_ in ids]})
    assert answer.status_code in (200, 302)
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_staff_stop_a_run_though_no_members(root: Client, root_user: User, case: Case) -> None:
    answer = root.post(f"{RUNS}{case.running}/stop/")
    assert answer.status_code == 302

    assert Run.objects.get(id=case.running).status == "stopped"
    end = Event.objects.filter(conversation=case.conversation).latest("seq")
    assert (end.type, end.data["status"], end.actor_kind, end.actor_id) == ("run:end", "stopped", "system", "staff")
    assert [entry.actor for entry in audited("run.stopped", case.running)] == [root_user]
    with pytest.raises(Problem, match="run_not_active"):
        runs.end(claim=case.claim, status="completed", text="too late").result()


def test_stopping_from_the_list_says_what_was_stopped_and_what_was_not(root: Client, case: Case) -> None:
    said = act(root, RUNS, "stop_selected", case.running, case.ended)
    assert "1 run was stopped." in said
    assert f"{case.ended}: This run has ended already." in said
    assert audited("run.stopped", case.ended) == []


def test_rebuilding_brings_the_projections_back(root: Client, root_user: User, case: Case) -> None:
    Message.objects.filter(conversation=case.conversation).delete()
    Member.objects.filter(conversation=case.conversation).update(role="viewer")

    answer = root.post(f"{LIST}{case.conversation}/rebuild/")

    assert answer.status_code == 302
    assert Message.objects.filter(conversation=case.conversation).count() == 4
    assert Member.objects.filter(conversation=case.conversation, role="owner").count() == 1
    assert [entry.actor for entry in audited("conversation.rebuilt", case.conversation)] == [root_user]


def test_rebuilding_from_the_list(root: Client, case: Case) -> None:
    assert act(root, LIST, "rebuild_selected", case.conversation) == ["1 conversation was rebuilt."]
    assert len(audited("conversation.rebuilt", case.conversation)) == 1


def test_who_may_only_look_has_no_buttons_and_no_actions(clerk: Client, case: Case) -> None:
    assert clerk.post(f"{RUNS}{case.running}/stop/").status_code == 403
    assert clerk.post(f"{LIST}{case.conversation}/rebuild/").status_code == 403
    assert act(clerk, RUNS, "stop_selected", case.running) == []
    assert act(clerk, LIST, "rebuild_selected", case.conversation) == []
    assert Run.objects.get(id=case.running).status == "running"
    assert audited("conversation.rebuilt", case.conversation) == []
    assert "/rebuild/" not in clerk.get(case.page).content.decode()
    assert "/stop/" not in clerk.get(f"{RUNS}{case.running}/change/").content.decode()


def test_the_buttons_are_for_those_who_may(case: Case) -> None:
    client = browser(new_staff("Operator", "view_run", "change_run", "view_conversation", "change_conversation"))
    assert f"{case.conversation}/rebuild/" in client.get(case.page).content.decode()
    assert f"{case.running}/stop/" in client.get(f"{RUNS}{case.running}/change/").content.decode()
    assert client.post(f"{RUNS}{case.running}/stop/").status_code == 302
    assert Run.objects.get(id=case.running).status == "stopped"


def test_looking_changes_nothing(root: Client, case: Case) -> None:
    assert root.get(f"{RUNS}{case.running}/stop/").status_code == 405
    assert root.get(f"{LIST}{case.conversation}/rebuild/").status_code == 405
    assert root.post(f"{RUNS}{case.conversation}/stop/").status_code == 404


def test_another_site_cannot_press_the_buttons(root_user: User, case: Case) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(root_user)
    assert client.post(f"{RUNS}{case.running}/stop/").status_code == 403
    assert Run.objects.get(id=case.running).status == "running"


def test_not_even_a_superuser_adds_changes_or_deletes(root: Client, case: Case) -> None:
    before = Conversation.objects.filter(id=case.conversation).values().get()
    for page, id_ in ((LIST, case.conversation), (RUNS, case.ended), ("/admin/accounts/auditentry/", an_entry())):
        for path in ("add/", f"{id_}/change/", f"{id_}/delete/"):
            assert root.post(page + path, {"status": "closed", "post": "yes"}).status_code == 403, page + path
        act(root, page, "delete_selected", id_)
    assert Conversation.objects.filter(id=case.conversation).values().get() == before
    for model in ("message", "member", "event", "runchunk"):
        assert root.get(f"/admin/conversations/{model}/").status_code == 404


def an_entry() -> UUID:
    entry = AuditEntry.objects.first()
    assert entry
    return entry.id
