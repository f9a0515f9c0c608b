"""Erasing from the page: asked once more, with the export at hand."""

from uuid import UUID

from conversations.models import Conversation
from tests.conversations.views.visitor import Visitor


def test_nothing_happens_without_the_tick(alices: Visitor, thread: str, conversation: UUID) -> None:
    alices.get(thread)
    assert f'href="{thread}erase/"' in alices.page
    alices.get(f"{thread}erase/")
    assert "Plans" in alices.page
    assert f"/api/v1/conversations/{conversation}/export/?format=jsonl" in alices.page

    assert alices.post(f"{thread}erase/").status_code == 400
    assert not Conversation.objects.get(id=conversation).erased


def test_erased_for_good(alices: Visitor, bobs: Visitor, thread: str, conversation: UUID) -> None:
    alices.post(thread, message="persimmon")

    assert alices.post(f"{thread}erase/", sure="1").headers["Location"] == "/"
    assert alices.post(f"{thread}erase/", sure="1").headers["Location"] == "/"

    assert Conversation.objects.get(id=conversation).erased
    bobs.get(thread)
    assert "This conversation was erased." in bobs.page
    assert "persimmon" not in bobs.page
    assert "Plans" not in bobs.page


def test_only_the_owner_is_offered_it(bobs: Visitor, mallorys: Visitor, thread: str) -> None:
    bobs.get(thread)
    assert "/erase/" not in bobs.page
    assert bobs.post(f"{thread}erase/", sure="1").status_code == 403
    assert mallorys.post(f"{thread}erase/", sure="1").status_code == 404
