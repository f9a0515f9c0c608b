"""Search over HTTP, as clients use it."""

from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.services import conversations, members, messages
from tests.api import BASE, Answer, Api


def say(user: User, conversation: UUID, text: str) -> str:
    """The id of a new message."""
    sent = messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id())).result()
    return str(sent.main["data"]["message"])


def search(api: Api, q: str, **more: Any) -> Answer:
    return api.get(f"search/?q={quote(q)}" + "".join(f"&{name}={value}" for name, value in more.items()))


def found(api: Api, q: str, **more: Any) -> list[str]:
    """The ids of the messages that are found, in order."""
    answer = search(api, q, **more)
    assert answer.status == 200, answer.json
    return [hit["message"] for hit in answer.json["results"]]


def test_a_message_is_found_from_its_acknowledgement_on(as_alice: Api, conversation: UUID) -> None:
    sent = as_alice.post(f"conversations/{conversation}/messages/", {"text": "The flux capacitor is broken"})
    [hit] = search(as_alice, "capacitor").json["results"]
    assert hit["message"] == sent.json["message"]["id"]
    assert (hit["conversation"], hit["seq"]) == (str(conversation), sent.json["event"]["seq"])
    [[start, end]] = hit["highlights"]
    assert hit["snippet"][start:end] == "capacitor"
    assert hit["score"] > 0


def test_chinese_japanese_and_korean(as_alice: Api, alice: User, conversation: UUID) -> None:
    chinese = say(alice, conversation, "数据库连接超时，请检查防火墙设置。")
    japanese = say(alice, conversation, "サーバーの再起動が必要です")
    korean = say(alice, conversation, "서버를 다시 시작해야 합니다")
    assert found(as_alice, "防火墙") == [chinese]
    assert found(as_alice, "墙") == [chinese]
    assert found(as_alice, "再起動") == [japanese]
    assert found(as_alice, "서버") == [korean]
    [hit] = search(as_alice, "连接超时").json["results"]
    assert [hit["snippet"][start:end] for start, end in hit["highlights"]] == ["连接超时"]


@pytest.mark.parametrize(
    ("q", "finds"),
    [
        ("getUserById", True),
        ("getuserbyid", True),
        ("user", True),
        ("alice@example.com", True),
        ("10.0.0.1", True),
        ('"10.0.0.1"', True),
        ('"0.0.1 refused"', False),
        ("REFUSED", True),
        ("ｒｅｆｕｓｅｄ", True),
        ("“connection refused”", True),
        ('"refused connection"', False),
        ("refused -connection", False),
        ("refused -timeout", True),
        ('refused -"connection refused"', False),
        ("nothing", False),
    ],
)
def test_what_finds_a_message(as_alice: Api, alice: User, conversation: UUID, q: str, finds: bool) -> None:
    text = "getUserById(alice@example.com): connection refused by 10.0.0.1"
    message = say(alice, conversation, text)
    assert found(as_alice, q) == ([message] if finds else [])


def test_only_what_the_caller_may_read(
    as_alice: Api, as_bob: Api, as_mallory: Api, alice: User, bob: User, conversation: UUID
) -> None:
    message = say(alice, conversation, "The zeppelin lands at noon")
    assert found(as_alice, "zeppelin") == found(as_bob, "zeppelin") == [message]
    assert found(as_mallory, "zeppelin") == []
    assert search(as_mallory, "zeppelin", conversation=conversation).code == "not_found"
    members.remove(actor=alice, conversation=conversation, user=bob.id).result()
    assert found(as_bob, "zeppelin") == []


def test_in_one_conversation_or_in_all(as_alice: Api, alice: User, conversation: UUID) -> None:
    here = say(alice, conversation, "A walrus here")
    there = conversations.create(user=alice, message="A walrus there").result()
    assert found(as_alice, "walrus", conversation=conversation) == [here]
    assert set(found(as_alice, "walrus")) == {here, there.main["data"]["message"]}


def test_in_pages(as_alice: Api, alice: User, conversation: UUID) -> None:
    said = [say(alice, conversation, f"Penguin number {number}") for number in range(7)]
    first = search(as_alice, "penguin", limit=3)
    assert first.json["previous"] is None
    say(alice, conversation, "A penguin that comes while one reads")
    second = follow(as_alice, first.json["next"])
    third = follow(as_alice, second.json["next"])
    assert third.json["next"] is None
    pages = [[hit["message"] for hit in answer.json["results"]] for answer in (first, second, third)]
    assert list(map(len, pages)) == [3, 3, 1]
    assert {message for page in pages for message in page} == set(said)
    assert follow(as_alice, third.json["previous"]).json["results"] == second.json["results"]


def follow(api: Api, link: str) -> Answer:
    parts = urlsplit(link)
    return api.get(f"{parts.path.removeprefix(BASE)}?{parts.query}")


@pytest.mark.parametrize(
    "query",
    [
        "", "q=", "q=%20", "q=...", "q=-word", "q=a%00b", "q=word&mode=telepathy", "q=word&mode=semantic",
        "q=word&mode=hybrid", "q=word&conversation=x", "q=word&cursor=x", "q=word&cursor=WyJ4Il0", "q=word&limit=0",
        "q=word&limit=100000", f"q={'w' * 201}", "q=word&cursor=Wy0xLG51bGxd",
    ],
)  # fmt: skip
def test_bad_input(as_alice: Api, query: str) -> None:
    answer = as_alice.get(f"search/?{query}")
    assert (answer.status, answer.code) == (400, "invalid"), answer.json


def test_without_a_login(as_nobody: Api) -> None:
    assert search(as_nobody, "word").code == "unauthenticated"
