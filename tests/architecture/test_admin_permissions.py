"""Law 6 in the admin: every page, of staff with and without the right to read what was said."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import get_resolver

from accounts.models import AuditEntry, User
from chatproject.lib.ids import new_id
from conversations.batches.questions import Question
from conversations.models import Connector
from conversations.services import batches, connectors, exports, reports, reporttemplates, sessions, shares, templates
from conversations.services.shares import Wish
from tests.conftest import new_user
from tests.conversations.admin.conftest import SECRETS, Case, browser, case, new_staff
from tests.docs.test_routes import patterns

__all__ = ["case"]
# Django's own doors, which show nothing of ours.
OTHERS = ("login/", "logout/", "password_change/", "jsi18n/", "autocomplete/", "r/", "^", "(")
LOOKING = "view_"
REPORT = reports.Wish(template="transcript", form="md", assistant="guide", title=SECRETS[0])
TEMPLATE = reporttemplates.Given("untold", "Untold", SECRETS[0].encode())
GUIDE = batches.Wish(assistant="guide", title="Untold")


def pages() -> Iterator[str]:
    """Every route below admin/ about a table."""
    for route, _ in patterns(get_resolver()):
        below = route.removeprefix("admin/")
        if route.startswith("admin/") and below and not below.startswith(OTHERS):
            yield below


@pytest.fixture
def ids(case: Case, alice: User) -> dict[str, object]:
    """Something of every table, all of it about one conversation; by the beginning of the route."""
    share, _ = shares.create(user=alice, conversation=case.conversation, wish=Wish())
    root = new_staff("Author")
    session = sessions.begin_http(user=alice, conversation=case.conversation, data={"note": SECRETS[0]})
    return {
        "conversations/conversation": case.conversation,
        "conversations/run": case.ended,
        "conversations/share": share.id,
        "conversations/session": session.id,
        "conversations/batch": batches.start(user=alice, questions=[Question(1, SECRETS[0])], wish=GUIDE).id,
        "conversations/report": reports.start(user=alice, wish=replace(REPORT, conversations=[case.conversation])).id,
        "conversations/reporttemplate": reporttemplates.keep(user=alice, given=TEMPLATE).id,
        "conversations/export": exports.start(user=alice).id,
        "conversations/template": templates.create(staff=root, given={"slug": f"t-{share.id.hex}", "name": "T"}).id,
        "conversations/connector": _connector().id,
        "accounts/user": alice.id,
        "accounts/auditentry": AuditEntry.objects.filter(target_id=str(share.id)).values_list("id", flat=True)[0],
    }


def _connector() -> Connector:
    given = {"name": f"c-{new_id().hex[-10:]}", "kind": "mcp", "config": {"url": "https://mcp.example/"}}
    return connectors.create(staff=new_staff("Builder", "add_connector"), given=given)


def address(route: str, ids: dict[str, object]) -> str:
    id_ = ids.get("/".join(route.split("/")[:2]), 1)
    return "/admin/" + route.replace("{object_id}", str(id_)).replace("{id}", str(id_))


def looking(*more: str) -> User:
    """Staff who may look at every table."""
    user = new_staff("Looker", *more)
    user.user_permissions.add(*Permission.objects.filter(codename__startswith=LOOKING))
    return User.objects.get(id=user.id)


def told(client: Client, place: str) -> tuple[int, list[str]]:
    """How a page answers, and which secrets are in it."""
    response = client.get(place)
    page = response.content.decode().lower()
    return response.status_code, [word for word in SECRETS if word.lower() in page]


def test_nobody_but_staff_comes_in(ids: dict[str, object], alice: User) -> None:
    for client in (browser(), browser(alice)):
        for route in pages():
            response = client.get(address(route, ids))
            assert response.status_code in (302, 405), route
            assert response.status_code == 405 or "/admin/login/" in response.headers["Location"], route


def test_staff_without_any_right_see_nothing(ids: dict[str, object]) -> None:
    client = browser(new_staff("Clerk"))
    for route in pages():
        status, words = told(client, address(route, ids))
        assert not words, route
        assert status in (302, 403, 404, 405) or route == "search/", f"{route}: {status}"


def test_staff_without_the_right_to_read_see_no_content(ids: dict[str, object]) -> None:
    client = browser(looking())
    statuses = {route: told(client, address(route, ids)) for route in pages()}
    assert {route: words for route, (_, words) in statuses.items() if words} == {}
    assert [status for status, _ in statuses.values() if status >= 500] == []
    assert statuses["conversations/conversation/{object_id}/change/"][0] == 200


def test_who_reads_content_leaves_a_trace(ids: dict[str, object]) -> None:
    reader = looking("read_content")
    client, seen = browser(reader), 0
    for route in pages():
        before = AuditEntry.objects.filter(actor=reader).count()
        _, words = told(client, address(route, ids))
        if words:
            seen += 1
            assert AuditEntry.objects.filter(actor=reader).count() > before, f"{route} shows {words} without a trace"
    assert seen >= 4


def test_a_member_of_staff_is_a_stranger_outside_of_the_admin(case: Case) -> None:
    client = browser(looking("read_content"))
    assert client.get(f"/c/{case.conversation}/").status_code == 404
    assert client.get(f"/api/v1/conversations/{case.conversation}/").status_code == 404
    assert new_user("Somebody").is_staff is False
