"""Shares: links that Alice makes, and what strangers see by them."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import override_settings

from accounts.models import AuditEntry, User
from conversations.models import Share
from conversations.services import conversations, erasing, members, messages, revisions
from conversations.services.shares import digest
from tests.api import Answer, Api
from tests.conversations.support import at_once
from tests.conversations.views.visitor import ended, say

# What strangers must not be told, whoever is shown a message.
PRIVATE = ("feedback", "metadata", "tokens", "versions", "run", "extra", "seen_seq", "cmid", "parts", "conversation")


@pytest.fixture
def path(conversation: UUID) -> str:
    return f"conversations/{conversation}/shares/"


def made(api: Api, path: str, **wish: Any) -> dict[str, Any]:
    answer = api.post(path, wish)
    assert answer.status == 201, answer.json
    found: dict[str, Any] = answer.json
    return found


def look(token: str, query: str = "", **headers: str) -> Answer:
    """A stranger at a link."""
    return Api(None).get(f"shared/{token}/{query}", **headers)


def said(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.json
    return [one["text"] for one in answer.json["messages"]]


def test_a_share_from_beginning_to_end(as_alice: Api, alice: User, conversation: UUID, path: str) -> None:
    say(alice, conversation, "**Hello**")
    share = made(as_alice, path)
    assert (share["mode"], share["seq"], share["password"], share["max_views"], share["views"]) == (
        "fixed", 3, False, None, 0,
    )  # fmt: skip
    assert len(share["token"]) >= 43
    assert share["url"] == f"http://testserver/s/{share['token']}/"
    shown = look(share["token"])
    assert shown.json["title"] == "Plans"
    [message] = shown.json["messages"]
    assert (message["author"], message["role"], message["text"]) == ({"name": "Alice"}, "user", "**Hello**")
    assert message["html"] == "<p><strong>Hello</strong></p>\n"
    listed = as_alice.get(path).json["results"]
    assert [(one["id"], one["views"], one["url"]) for one in listed] == [(share["id"], 1, None)]
    assert share["token"] not in str(listed)
    assert as_alice.delete(f"{path}{share['id']}/").status == 204
    assert look(share["token"]).code == "not_found"
    assert as_alice.get(path).json["results"] == []
    assert as_alice.delete(f"{path}{share['id']}/").code == "not_found"
    trail = AuditEntry.objects.filter(target_id=share["id"]).order_by("at").values_list("action", "actor")
    assert list(trail) == [("share.created", alice.id), ("share.revoked", alice.id)]


def test_only_a_hash_of_the_token_is_stored(as_alice: Api, path: str) -> None:
    share = made(as_alice, path, password="open sesame")
    row = Share.objects.values().get(id=share["id"])
    assert bytes(row["digest"]) == digest(share["token"])
    assert "open sesame" not in str(row)
    assert share["token"] not in str(row)


def test_what_is_shared_is_kept_out_of_indexes_and_caches(as_alice: Api, path: str) -> None:
    token = made(as_alice, path)["token"]
    for answer in (look(token), look("nothing")):
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_strangers_are_told_no_more_than_what_was_said(alice: User, as_alice: Api) -> None:
    made_of = conversations.create(
        user=alice, title="Plans", metadata={"order": "secret-4711"}, assistant="guide", message="Help me"
    )
    conversation = made_of.result().conversation.id
    ended(conversation, "Gladly", usage={"output_tokens": 17})
    token = made(as_alice, f"conversations/{conversation}/shares/", mode="live")["token"]
    shown = look(token)
    assert said(shown) == ["Help me", "Gladly"]
    for message in shown.json["messages"]:
        assert not set(PRIVATE) & message.keys()
    told = shown.body.decode()
    assert not [one for one in ("secret-4711", str(alice.id), alice.username, str(conversation)) if one in told]


def test_a_user_name_that_is_an_address_is_cut(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    User.objects.filter(id=alice.id).update(name="", username=f"alice{alice.id.hex}@example.org")
    alice.refresh_from_db()
    say(alice, conversation, "Hi")
    assert "example.org" not in look(made(as_alice, path)["token"]).body.decode()


def test_fixed_shows_what_was_there_then(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    first, second = (say(alice, conversation, text)["data"]["message"] for text in ("One", "Two"))
    fixed, live = made(as_alice, path)["token"], made(as_alice, path, mode="live")["token"]
    revisions.edit(user=alice, conversation=conversation, message=UUID(first), text="One, changed").result()
    revisions.delete(user=alice, conversation=conversation, message=UUID(second)).result()
    say(alice, conversation, "Three")
    conversations.update(user=alice, conversation=conversation, changes={"title": "Other plans"}).result()
    then, now = look(fixed), look(live)
    assert said(then) == ["One", "Two"]
    assert said(now) == ["One, changed", "Three"]
    assert (then.json["title"], now.json["title"]) == ("Plans", "Other plans")
    assert [bool(one["edited_at"]) for one in (*then.json["messages"], *now.json["messages"])] == [0, 0, 1, 0]
    earlier = made(as_alice, path, seq=3)["token"]
    assert said(look(earlier)) == ["One"]


def test_an_answer_that_is_being_written_is_not_in_a_fixed_share(alice: User, as_alice: Api) -> None:
    conversation = conversations.create(user=alice, assistant="guide", message="Well?").result().conversation.id
    path = f"conversations/{conversation}/shares/"
    token = made(as_alice, path)["token"]
    ended(conversation, "Later")
    assert said(look(token)) == ["Well?"]
    assert said(look(made(as_alice, path)["token"])) == ["Well?", "Later"]


@override_settings(SHARE_PAGE=2)
def test_pages_belong_to_one_visit(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    for number in range(5):
        say(alice, conversation, f"Number {number}")
    fixed = made(as_alice, path, max_views=1)["token"]
    assert pages(fixed) == [["Number 0", "Number 1"], ["Number 2", "Number 3"], ["Number 4"]]
    assert look(fixed).code == "not_found", "the only view was that of the first page"
    live = made(as_alice, path, mode="live")["token"]
    assert pages(live) == [["Number 3", "Number 4"], ["Number 1", "Number 2"], ["Number 0"]]


def pages(token: str) -> list[list[str]]:
    answer = look(token)
    found = [said(answer)]
    while answer.json["next"]:
        answer = look(token, "?" + answer.json["next"].split("?")[1])
        found.append(said(answer))
    return found


@override_settings(SHARE_PAGE=1)
def test_a_visit_ends_and_is_for_one_share(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    for text in ("One", "Two"):
        say(alice, conversation, text)
    share, other = made(as_alice, path, max_views=1), made(as_alice, path, password="x")
    query = "?" + look(share["token"]).json["next"].split("?")[1]
    assert look(other["token"], query).code == "unauthenticated"
    assert look(share["token"], query[:-2]).code == "not_found"
    with override_settings(SHARE_VISIT_SECONDS=0):
        assert look(share["token"], query).code == "not_found"
    assert said(look(share["token"], query)) == ["Two"]


def test_no_more_views_than_allowed_even_at_once(as_alice: Api, path: str) -> None:
    share = made(as_alice, path, max_views=3)
    answers = at_once(12, lambda _: look(share["token"]).status)
    assert sorted(answers) == [200] * 3 + [404] * 9
    assert Share.objects.get(id=share["id"]).views == 3


def test_it_expires(as_alice: Api, path: str) -> None:
    share = made(as_alice, path, expires_in=3600)
    Share.objects.filter(id=share["id"]).update(expires_at="2026-01-01T00:00:00Z")
    assert look(share["token"]).code == "not_found"
    assert as_alice.get(path).json["results"] == []


def test_seven_days_unless_asked_for(as_alice: Api, path: str) -> None:
    share, short = made(as_alice, path), made(as_alice, path, expires_in=60, password=None, max_views=None)
    rows = {str(row.id): row for row in Share.objects.filter(id__in=[share["id"], short["id"]])}
    lives = [round((rows[one["id"]].expires_at - rows[one["id"]].created_at).total_seconds()) for one in (share, short)]
    assert lives == [7 * 24 * 3600, 60]


def test_a_password(as_alice: Api, path: str) -> None:
    token = made(as_alice, path, password="open sesame", max_views=1)["token"]
    asked, wrong = look(token), look(token, X_Share_Password="open barley")
    assert [(one.status, one.code, one.json["password"]) for one in (asked, wrong)] == [
        (401, "unauthenticated", True)
    ] * 2
    assert look(token, X_Share_Password="open sesame").status == 200
    assert look(token, X_Share_Password="open sesame").code == "not_found"


@override_settings(SHARE_PASSWORD_TRIES=3)
def test_passwords_cannot_be_tried_for_long(as_alice: Api, path: str) -> None:
    share = made(as_alice, path, password="open sesame")
    tried = at_once(8, lambda number: look(share["token"], X_Share_Password=f"wrong {number}").code)
    assert sorted(map(str, tried)) == ["rate_limited"] * 5 + ["unauthenticated"] * 3
    refused = look(share["token"], X_Share_Password="open sesame")
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 300
    assert AuditEntry.objects.filter(target_id=share["id"], action="share.password_wrong").count() == 3
    Share.objects.filter(id=share["id"]).update(tries_since="2026-01-01T00:00:00Z")
    assert look(share["token"], X_Share_Password="open sesame").status == 200


def test_what_ends_a_share(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    token = made(as_alice, path, mode="live")["token"]
    conversations.archive(user=alice, conversation=conversation).result()
    assert look(token).code == "not_found"
    assert as_alice.post(path, {}).code == "conversation_closed"
    conversations.update(user=alice, conversation=conversation, changes={"status": "open"}).result()
    assert look(token).status == 200
    User.objects.filter(id=alice.id).update(is_active=False)
    assert look(token).code == "not_found"
    User.objects.filter(id=alice.id).update(is_active=True)
    erasing.erase(user=alice, conversation=conversation)
    assert look(token).code == "not_found"
    assert not Share.objects.filter(conversation=conversation).exists()


@pytest.mark.parametrize(
    "wish",
    [
        {"mode": "loud"},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": "soon"},
        {"expires_in": 366 * 24 * 3600},
        {"expires_in": 10**30},
        {"max_views": 0},
        {"max_views": 10**12},
        {"password": ""},
        {"password": "x" * 129},
        {"password": ["x"]},
        {"password": "a\0"},
        {"seq": 0},
        {"seq": 99},
        {"seq": 1, "mode": "live"},
        [],
    ],
)
def test_bad_wishes(as_alice: Api, path: str, wish: Any) -> None:
    assert as_alice.post(path, wish).code == "invalid"
    assert as_alice.get(path).json["results"] == []


def test_only_so_many(as_alice: Api, path: str) -> None:
    with override_settings(SHARES_MAX=2):
        made(as_alice, path)
        made(as_alice, path)
        assert as_alice.post(path, {}).code == "quota_exceeded"


def test_made_once_under_one_key(as_alice: Api, path: str) -> None:
    first = as_alice.post(path, {"mode": "live"}, Idempotency_Key="k1")
    again = as_alice.post(path, {"mode": "live"}, Idempotency_Key="k1")
    assert (first.status, again.status) == (201, 201)
    assert first.json["token"] == again.json["token"]
    assert again.json["id"] == first.json["id"]
    assert as_alice.post(path, {"mode": "fixed"}, Idempotency_Key="k1").code == "idempotency_mismatch"
    assert as_alice.delete(f"{path}{first.json['id']}/").status == 204
    assert as_alice.post(path, {"mode": "live"}, Idempotency_Key="k1").code == "conflict"


@pytest.mark.parametrize("role", ["editor", "agent", "viewer"])
def test_only_the_owner_shares(as_alice: Api, as_bob: Api, alice: User, bob: User, path: str, role: str) -> None:
    share = made(as_alice, path)
    conversation = UUID(re.findall(r"[0-9a-f-]{36}", path)[0])
    members.change(actor=alice, conversation=conversation, user=bob.id, role=role).result()
    answers = [as_bob.get(path), as_bob.post(path, {}), as_bob.delete(f"{path}{share['id']}/")]
    assert [answer.code for answer in answers] == ["forbidden"] * 3


def test_strangers_learn_nothing(as_alice: Api, as_mallory: Api, path: str) -> None:
    share = made(as_alice, path)
    answers = [as_mallory.get(path), as_mallory.post(path, {}), as_mallory.delete(f"{path}{share['id']}/")]
    assert [answer.code for answer in answers] == ["not_found"] * 3
    for token in ("x", share["token"][:-1], share["id"], "%00", "a" * 5000):
        assert look(token).code == "not_found"
        assert Api(None).get(f"shared/{token}/events/").code == "not_found"


def test_a_share_of_another_conversation_cannot_be_revoked(as_alice: Api, as_mallory: Api, path: str) -> None:
    share = made(as_alice, path)
    theirs = as_mallory.post("conversations/", {}).json["id"]
    assert as_mallory.delete(f"conversations/{theirs}/shares/{share['id']}/").code == "not_found"
    assert look(share["token"]).status == 200


def test_files_are_named_and_no_more(alice: User, as_alice: Api, conversation: UUID, path: str) -> None:
    file = as_alice.upload(conversation, b"Minutes", "minutes.txt").json
    parts = [{"type": "file", "id": file["id"]}]
    messages.send(user=alice, conversation=conversation, text="See", cmid="f1", parts=parts).result()
    shown = look(made(as_alice, path)["token"])
    [message] = shown.json["messages"]
    assert message["files"] == [{"name": "minutes.txt", "type": "text/plain", "size": 7}]
    assert file["id"] not in shown.body.decode()
    assert Api(None).get(f"files/{file['id']}/").code == "unauthenticated"
