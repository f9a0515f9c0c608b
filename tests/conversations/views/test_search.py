"""The page that searches."""

import re
from urllib.parse import quote
from uuid import UUID

from accounts.models import User
from conversations.services import conversations
from tests.conversations.views.visitor import Visitor, say


def look_for(visitor: Visitor, q: str, **more: object) -> int:
    """The status; the page is then what the visitor has."""
    rest = "".join(f"&{name}={value}" for name, value in more.items())
    return int(visitor.get(f"/search/?q={quote(q)}{rest}").status_code)


def test_what_was_found_and_where(alice: User, alices: Visitor, conversation: UUID) -> None:
    message = say(alice, conversation, "The <b>otter</b> swims & dives")["data"]["message"]
    assert look_for(alices, "otter dives") == 200
    assert "1 message, the best first" in alices.page
    assert f'href="/c/{conversation}/#m-{message}"' in alices.page
    assert "The &lt;b&gt;<mark>otter</mark>&lt;/b&gt; swims &amp; <mark>dives</mark>" in alices.page
    assert '<span class="title">Plans</span>' in alices.page


def test_a_link_to_an_old_message_shows_its_place(alice: User, alices: Visitor, conversation: UUID) -> None:
    message = say(alice, conversation, "An otter")["data"]["message"]
    for number in range(60):
        say(alice, conversation, f"Filling {number}")
    look_for(alices, "otter")
    [link] = re.findall(r'href="(/c/[^"]+#m-[^"]+)"', alices.page)
    alices.get(link.split("#")[0])
    assert f'id="m-{message}"' in alices.page
    assert "Filling 10" in alices.page


def test_nothing_was_found(alices: Visitor) -> None:
    assert look_for(alices, "<otter>") == 200
    assert "Nothing was found for “&lt;otter&gt;”." in alices.page


def test_before_anything_is_looked_for(alices: Visitor) -> None:
    assert look_for(alices, " ") == 200
    assert "Finds what was said in all of your conversations" in alices.page


def test_what_cannot_be_looked_for(alices: Visitor) -> None:
    assert look_for(alices, "-otter") == 400
    assert "give at least one word" in alices.page
    assert look_for(alices, "otter", cursor="x") == 400
    assert "This page of results is not there." in alices.page
    assert look_for(alices, "otter", conversation="x") == 400


def test_in_one_conversation_only(alice: User, alices: Visitor, mallorys: Visitor, conversation: UUID) -> None:
    say(alice, conversation, "An otter here")
    conversations.create(user=alice, message="An otter there").result()
    look_for(alices, "otter", conversation=conversation)
    assert "in “Plans”" in alices.page
    assert "<mark>otter</mark> here" in alices.page
    assert "<mark>otter</mark> there" not in alices.page
    assert look_for(mallorys, "otter", conversation=conversation) == 404


def test_results_in_pages(alice: User, alices: Visitor, conversation: UUID) -> None:
    for number in range(23):
        say(alice, conversation, f"Otter {number}")
    look_for(alices, "otter")
    assert alices.page.count("<mark>") == 20
    [following] = re.findall(r'rel="next" href="([^"]+)"', alices.page)
    alices.get("/search/" + following.replace("&amp;", "&"))
    assert alices.page.count("<mark>") == 3
    assert 'rel="prev"' in alices.page
