"""The list of conversations, and what is done to them there."""

import re

from accounts.models import User
from conversations.models import Conversation
from conversations.services import conversations
from tests.conversations.views.visitor import Visitor


def test_the_list_in_pages(alice: User, alices: Visitor) -> None:
    for number in range(53):
        conversations.create(user=alice, message=f"Subject {number}.").result()
    alices.get("/")
    assert alices.page.count('class="title"') == 50
    alices.get(re.findall(r'class="more" href="([^"]+)"', alices.page)[0])
    assert re.findall(r"Subject (\d+)\.", alices.page) == ["2", "1", "0"]


def test_a_title_takes_the_place_of_the_first_words(alice: User, alices: Visitor) -> None:
    alices.post("/", message="How do I\nmake   tea? " + "Please. " * 40)
    thread = f"/c/{Conversation.objects.get(owner=alice).id}/"
    alices.get("/list/")
    assert "How do I make tea? Please." in alices.page
    assert "…</span>" in alices.page
    alices.post(thread + "title/", title="Tea")
    alices.get(thread)
    assert "<title>Tea · Conversations</title>" in alices.page


def test_put_away_and_taken_out_again(alices: Visitor, thread: str) -> None:
    assert alices.post(thread + "status/", status="archived").headers["Location"] == "/"
    alices.get("/list/")
    assert thread not in alices.page
    alices.get(thread)
    assert "This conversation is archived" in alices.page
    alices.post(thread + "status/", status="open")
    alices.get("/list/")
    assert thread in alices.page
