"""The page by which a stranger reads a shared conversation, without JavaScript."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings

from accounts.models import User
from conversations.models import Share
from conversations.services import conversations, shares
from conversations.services.shares import Wish
from tests.api import Api
from tests.conversations.views.visitor import Visitor, say


@pytest.fixture
def stranger() -> Visitor:
    return Visitor(None)


def link(alice: User, conversation: UUID, **wish: Any) -> str:
    _, token = shares.create(user=alice, conversation=conversation, wish=Wish(**wish))
    return f"/s/{token}/"


def test_a_stranger_reads(alice: User, conversation: UUID, stranger: Visitor) -> None:
    say(alice, conversation, "**Hello** <script>alert(1)</script>")
    response = stranger.get(link(alice, conversation))
    assert response.status_code == 200
    assert "<strong>Hello</strong> &lt;script&gt;" in stranger.page
    assert "Plans" in stranger.page
    assert str(alice.id) not in stranger.page
    assert '<meta name="robots" content="noindex">' in stranger.page
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_a_live_one_says_where_news_comes_from(alice: User, conversation: UUID, stranger: Visitor) -> None:
    fixed, live = link(alice, conversation), link(alice, conversation, mode="live")
    stranger.get(fixed)
    assert "data-events" not in stranger.page
    stranger.get(live)
    assert "data-events" in stranger.page
    assert "shared" in stranger.page


def test_a_password_is_asked_for_and_kept_for_this_link(alice: User, conversation: UUID, stranger: Visitor) -> None:
    say(alice, conversation, "Secret plan")
    place = link(alice, conversation, password="open sesame", max_views=2)
    assert stranger.get(place).status_code == 401
    assert "Secret plan" not in stranger.page
    assert 'type="password"' in stranger.page
    assert stranger.post(place, password="open barley").status_code == 401
    assert 'role="alert"' in stranger.page
    entered = stranger.post(place, password="open sesame")
    assert (entered.status_code, entered.headers["Location"]) == (302, place)
    [cookie] = entered.cookies.values()
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (place, True, "Lax")
    assert stranger.get(place).status_code == 200
    assert "Secret plan" in stranger.page
    assert Share.objects.get(conversation=conversation).views == 1, "the form and what was wrong count nothing"
    assert Visitor(None).get(place).status_code == 401
    other = link(alice, conversation, password="open sesame")
    stranger.client.cookies.load({f"share-{shares.digest(other[3:-1]).hex()[:16]}": cookie.value})
    assert stranger.get(other).status_code == 401, "a proof is for one link"


def test_the_password_needs_no_token_of_a_form(alice: User, conversation: UUID) -> None:
    """A page without a referrer posts with `Origin: null`, which Django would refuse; nothing is done in the name of
    who is logged in."""
    strict = Client(enforce_csrf_checks=True)
    place = link(alice, conversation, password="open sesame")
    answer = strict.post(place, {"password": "open sesame"}, headers={"Origin": "null"})
    assert answer.status_code == 302


@override_settings(SHARE_PASSWORD_TRIES=1)
def test_too_many_wrong_passwords(alice: User, conversation: UUID, stranger: Visitor) -> None:
    place = link(alice, conversation, password="open sesame")
    assert stranger.post(place, password="a").status_code == 401
    refused = stranger.post(place, password="open sesame")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0


def test_links_that_lead_nowhere_look_alike(alice: User, conversation: UUID, stranger: Visitor) -> None:
    used = link(alice, conversation, max_views=1)
    assert stranger.get(used).status_code == 200
    locked = link(alice, conversation, password="x")
    conversations.archive(user=alice, conversation=conversation).result()
    for place in ("/s/nothing/", used, locked):
        assert stranger.get(place).status_code == 404
        assert stranger.post(place, password="x").status_code == 404
        assert "There is nothing here" in stranger.page


def test_no_link_gets_into_the_log(alice: User, conversation: UUID, caplog: pytest.LogCaptureFixture) -> None:
    place = link(alice, conversation, password="open sesame")
    assert Visitor(None).get(place).status_code == 401
    assert Visitor(None).get("/s/used-up/").status_code == 404
    assert Api(None).get(f"shared/{place[3:]}").status == 401
    assert Api(None).get("shared/used-up/").status == 404
    assert place[3:-1] not in caplog.text
    assert "used-up" not in caplog.text


def test_a_look_without_content_counts_nothing(alice: User, conversation: UUID, stranger: Visitor) -> None:
    place = link(alice, conversation, max_views=1)
    assert stranger.client.head(place).status_code == 200
    assert stranger.client.head("/s/nothing/").status_code == 404
    assert stranger.get(place).status_code == 200


@override_settings(SHARE_PAGE=2)
def test_long_ones_are_read_page_by_page(alice: User, conversation: UUID, stranger: Visitor) -> None:
    for number in range(3):
        say(alice, conversation, f"Number {number}")
    place = link(alice, conversation, max_views=1)
    stranger.get(place)
    assert "Number 1" in stranger.page
    assert "Number 2" not in stranger.page
    more = stranger.page.split('class="more" href="')[1].split('"')[0]
    assert stranger.get(place + more).status_code == 200
    assert "Number 2" in stranger.page
    assert "Number 1" not in stranger.page
