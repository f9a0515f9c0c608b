"""The audit trail: from where, never changed, found and taken out by auditors."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test import Client
from pytest_django import Settings

from accounts import audit
from accounts.models import AuditEntry, User
from accounts.services import tokens
from chatproject.lib import clock
from chatproject.lib.caller import called_by, calling
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from tests.api import Api, streamed
from tests.conversations.admin.conftest import browser, new_staff

TRAIL = "/admin/accounts/auditentry/"


@pytest.fixture
def auditor() -> User:
    return new_staff("Audrey", "view_auditentry")


@pytest.fixture
def as_auditor(auditor: User) -> Client:
    return browser(auditor)


def entry_of(action: str, target: object) -> AuditEntry:
    return AuditEntry.objects.get(action=action, target_id=str(target))


def record(actor: User, action: str = "test.done", **detail: Any) -> AuditEntry:
    target = new_id()
    audit.record(actor=actor.id, action=action, target=("test", target), **detail)
    return entry_of(action, target)


def test_from_where_and_in_which_request(as_alice: Api, settings: Settings) -> None:
    settings.NUM_PROXIES = 1
    answer = as_alice.post(
        "conversations/", {"title": "Plans"}, X_Forwarded_For="203.0.113.7", X_Request_ID="request-1"
    )
    entry = entry_of("conversation.created", answer.json["id"])
    assert (entry.address, entry.request_id) == ("203.0.113.7", "request-1")


async def test_what_others_write_in_the_same_commit_is_not_mixed_up(alice: User, bob: User) -> None:
    apis = {f"request-{user.id}": Api((await in_thread(tokens.issue, user))["access"]) for user in (alice, bob)}
    answers = await asyncio.gather(
        *(asyncio.to_thread(api.post, "conversations/", {}, X_Request_ID=name) for name, api in apis.items())
    )
    for name, answer in zip(apis, answers, strict=True):
        entry = await AuditEntry.objects.aget(action="conversation.created", target_id=answer.json["id"])
        assert entry.request_id == name


def test_without_a_caller_there_is_no_address(alice: User) -> None:
    entry = record(alice)
    assert (entry.address, entry.request_id) == ("", "")


def test_log_ins_that_fail(alice: User) -> None:
    for name in (alice.username, new_id().hex):
        Api(None).post("auth/token/", {"username": name, "password": "wrong"}, X_Request_ID=f"failed-{name}")
        Client().post(
            "/accounts/login/", {"login": name, "password": "wrong"}, headers={"X-Request-ID": f"page-{name}"}
        )
        target = str(alice.id) if name == alice.username else "unknown"
        for request in (f"failed-{name}", f"page-{name}"):
            entry = AuditEntry.objects.get(request_id=request[:64], action="login.failed")
            assert (entry.actor, entry.target_id, entry.address) == (None, target, "127.0.0.1")
            assert name not in json.dumps(entry.detail)


def test_a_role_before_and_after(as_alice: Api, bob: User, conversation: UUID) -> None:
    assert as_alice.patch(f"conversations/{conversation}/members/{bob.id}/", {"role": "viewer"}).status == 200
    entry = entry_of("member.changed", conversation)
    assert (entry.detail["before"], entry.detail["role"]) == ("editor", "viewer")


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: AuditEntry.objects.filter(id=entry.id).update(action="nothing.happened"),
        lambda entry: entry.delete(),
        lambda entry: AuditEntry.objects.all().delete(),
    ],
)
def test_nobody_changes_it(alice: User, change: Any) -> None:
    entry = record(alice)
    with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic():
        change(entry)
    assert AuditEntry.objects.filter(id=entry.id, action="test.done").exists()


def test_nobody_empties_it() -> None:
    with pytest.raises(ProgrammingError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_auditentry")


def test_an_actor_who_is_gone_stays_named(bob: User) -> None:
    entry = record(bob)
    bob_id = bob.id
    bob.delete()
    found = AuditEntry.objects.select_related("actor").get(id=entry.id)
    assert (found.actor_id, found.actor) == (bob_id, None)


def test_only_auditors_see_it(alice: User, as_auditor: Client) -> None:
    assert as_auditor.get(TRAIL).status_code == 200
    assert browser(new_staff("Clerk")).get(TRAIL).status_code == 403
    assert browser(alice).get(TRAIL).status_code == 302


def test_found_by_who_what_on_what_from_where_and_when(as_auditor: Client, alice: User, bob: User) -> None:
    with called_by(calling("198.51.100.9", request_id="request-of-alice")):
        hers = record(alice, "test.first")
    his = record(bob, "test.second")
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    for query in (
        {"q": alice.username},
        {"q": "198.51.100.9", "action": "test.first"},
        {"q": "request-of-alice"},
        {"q": hers.target_id},
        {"action": "test.first"},
        {"action": "test.first", "target_type": "test", "at__lt": tomorrow},
    ):
        page = as_auditor.get(TRAIL, query).content.decode()
        assert hers.target_id in page, query
        assert his.target_id not in page, query
    page = as_auditor.get(TRAIL, {"q": alice.username, "at__gte": tomorrow}).content.decode()
    assert hers.target_id not in page


def export(client: Client, form: str, entries: list[AuditEntry]) -> Any:
    sent = {"action": f"export_{form}", "_selected_action": [str(entry.id) for entry in entries]}
    return client.post(TRAIL, sent)


def test_taken_out_as_jsonl(as_auditor: Client, auditor: User, alice: User) -> None:
    entries = [record(alice, number=number) for number in range(3)]
    answer = export(as_auditor, "jsonl", entries)
    assert answer["Content-Disposition"].endswith('.jsonl"')
    lines = [json.loads(line) for line in streamed(answer.streaming_content).decode().splitlines()]
    assert [line["detail"] for line in lines] == [{"number": number} for number in range(3)]
    assert {line["actor_name"] for line in lines} == {alice.username}
    trace = AuditEntry.objects.get(action="audit.exported", actor=auditor)
    assert (trace.detail["form"], trace.detail["entries"]) == ("jsonl", 3)


def test_taken_out_as_csv_in_pages(as_auditor: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.auditexport.PAGE", 2)
    entries = [record(alice, "=1+1", number=number) for number in range(5)]
    text = streamed(export(as_auditor, "csv", entries).streaming_content).decode()
    found = list(csv.DictReader(io.StringIO(text)))
    assert [json.loads(row["detail"])["number"] for row in found] == list(range(5))
    assert {row["action"] for row in found} == {"'=1+1"}
