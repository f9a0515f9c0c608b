"""Who is let in, and who learns nothing."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.permissions import ROLES
from conversations.services import members
from conversations.urls import urlpatterns
from tests.conversations.support import check_numbers, texts
from tests.conversations.views.visitor import Visitor, say

# The id of nothing.
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.mark.parametrize("path", ["/", "/list/", f"/c/{NOBODY}/", f"/c/{NOBODY}/m/"])
def test_who_is_not_logged_in_is_asked_to(path: str) -> None:
    assert Visitor(None).get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_strangers_learn_nothing(mallorys: Visitor, alice: User, conversation: UUID, thread: str) -> None:
    message = say(alice, conversation, "Secret plan")["data"]["message"]
    for path in (thread, f"{thread}m/", f"{thread}m/{message}/"):
        assert mallorys.get(path).status_code == 404
        assert "Secret plan" not in mallorys.page
        known, guessed = mallorys.page, mallorys.get(path.replace(str(conversation), str(new_id()))) and mallorys.page
        assert without_ids(known) == without_ids(guessed)
    posts: dict[str, dict[str, Any]] = {
        "": {"message": "hi"},
        "title/": {"title": "x"},
        "status/": {"status": "archived"},
        "read/": {"seq": 1},
    }
    for path, fields in posts.items():
        assert mallorys.post(thread + path, **fields).status_code == 404
    run = say(alice, conversation, "Go on", assistant="guide")["data"]["run"]
    assert mallorys.post(thread + "stop/", run=run).status_code == 404
    assert texts(conversation) == ["Secret plan", "Go on"]


def without_ids(page: str) -> str:
    """What differs from one answer to the next."""
    return re.sub(r"[0-9a-f-]{36}|value=\"\w{64}\"", "", page)


@pytest.mark.parametrize(
    ("path", "fields", "role"),
    [("", {"message": "hi"}, "viewer"), ("title/", {"title": "x"}, "agent"), ("status/", {"status": "open"}, "editor")],
)
def test_a_role_does_what_it_may(
    alice: User, bob: User, bobs: Visitor, conversation: UUID, thread: str, path: str, fields: Any, role: str
) -> None:
    members.change(actor=alice, conversation=conversation, user=bob.id, role=role).result()
    before = check_numbers(conversation)
    assert bobs.post(thread + path, **fields).status_code == 403
    assert check_numbers(conversation) == before


def test_every_page_says_what_it_takes() -> None:
    for one in urlpatterns:
        if str(one.pattern).startswith("c/<uuid:id>"):
            view = one.callback.view_class  # type: ignore[attr-defined]
            methods = {method.upper() for method in ("get", "post") if hasattr(view, method)}
            assert set(view.permissions) == methods, one.pattern
            assert set(view.permissions.values()) <= frozenset.union(*ROLES.values())


def test_a_form_without_its_token_changes_nothing(alice: User, conversation: UUID, thread: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    answer = strict.post(thread, {"message": "forged"})
    assert answer.status_code == 403
    assert "You may not do this." in answer.content.decode()
    assert texts(conversation) == []
