"""Languages, documentation, failures."""

import re

import pytest
from django.conf import settings

from accounts.models import User
from chatproject.lib.ids import new_id
from tests.conversations.views.visitor import Visitor


def test_the_page_speaks_chinese_to_who_asks_for_it(alice: User, alices: Visitor) -> None:
    answer = alices.client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-hans">' in answer.content.decode()
    assert "您想了解什么？" in answer.content.decode()


def test_a_chosen_language_stays_with_the_account(alice: User, alices: Visitor) -> None:
    alices.post("/language/", language="zh-hans", next="/")
    alices.get("/")
    assert "您想了解什么？" in alices.page
    elsewhere = Visitor(None)
    elsewhere.post("/accounts/login/", login=alice.username, password="correct horse battery 9")
    elsewhere.get("/")
    assert "您想了解什么？" in elsewhere.page


def test_a_language_that_we_do_not_speak_changes_nothing(alice: User, alices: Visitor) -> None:
    alices.post("/language/", language="xx", next="https://evil.example/")
    alice.refresh_from_db()
    assert alice.language == ""
    assert settings.LANGUAGE_COOKIE_NAME not in alices.client.cookies


def test_the_documentation_can_be_read_by_everybody() -> None:
    visitor = Visitor(None)
    visitor.get("/documentation/")
    for address in re.findall(r'<li><a href="([^"]+)"', visitor.page):
        assert visitor.get(address).status_code == 200
        assert '<div class="prose">' in visitor.page


@pytest.mark.parametrize("page", ["docs/nothing.md", "../manage.py", "docs/../manage.py", "manage.py", "docs/%00"])
def test_only_documentation_is_shown(page: str) -> None:
    assert Visitor(None).get(f"/documentation/{page}").status_code == 404


def test_failures_are_pages(alices: Visitor) -> None:
    assert alices.get("/nothing/here/").status_code == 404
    assert "There is nothing here" in alices.page
    assert alices.get(f"/c/{new_id()}/").status_code == 404
    assert "There is nothing here" in alices.page
