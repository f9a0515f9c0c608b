"""Taking data along and bringing it, on the page."""

from io import BytesIO
from uuid import UUID

from django.test import Client

from accounts.models import User
from conversations.models import Conversation, Export
from conversations.transfer import bulk
from tests.conversations.transfer.importing import exported


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def named(content: bytes, name: str) -> BytesIO:
    file = BytesIO(content)
    file.name = name
    return file


def test_an_export_from_the_button_to_the_link(alice: User, conversation: UUID) -> None:
    page = logged_in(alice)
    once = {"once": "0123456789"}
    assert [page.post("/exports/start/", once).headers["Location"] for _ in range(2)] == ["/exports/"] * 2
    export = Export.objects.get(user=alice)
    assert "data-active" in page.get("/exports/").content.decode()

    bulk.work(str(export.id))
    shown = page.get("/exports/list/").content.decode()
    assert f"/api/v1/exports/{export.id}/download/" in shown
    assert "data-active" not in shown
    assert page.get(f"/api/v1/exports/{export.id}/").json()["status"] == "completed"
    page.post(f"/exports/{export.id}/remove/")
    assert not Export.objects.filter(user=alice).exists()


def test_a_file_is_imported_and_opened(alice: User, conversation: UUID) -> None:
    page = logged_in(alice)
    sent = {"file": named(exported(conversation), "x.jsonl"), "once": "1"}
    place = page.post("/exports/", sent).headers["Location"]
    assert place != f"/c/{conversation}/"
    assert "Plans" in page.get(place).content.decode()
    again = page.post("/exports/", {"file": named(exported(conversation), "x.jsonl"), "once": "1"})
    assert again.headers["Location"] == place


def test_what_is_wrong_with_a_file_is_said(alice: User, conversation: UUID) -> None:
    page = logged_in(alice)
    before = Conversation.objects.filter(owner=alice).count()
    answer = page.post("/exports/", {"file": named(exported(conversation).replace(b'"seq":2', b'"seq":4'), "x")})
    assert answer.status_code == 400
    assert "Line 3: seq 2 was expected here, not 4" in answer.content.decode()
    assert "Choose a file first." in page.post("/exports/").content.decode()
    assert Conversation.objects.filter(owner=alice).count() == before


def test_the_menu_of_a_conversation_offers_files(alice: User, bob: User, conversation: UUID) -> None:
    for user in (alice, bob):
        shown = logged_in(user).get(f"/c/{conversation}/").content.decode()
        for form in ("md", "json", "jsonl"):
            assert f'/api/v1/conversations/{conversation}/export/?format={form}"' in shown
    assert 'href="/exports/"' in logged_in(alice).get("/").content.decode()
