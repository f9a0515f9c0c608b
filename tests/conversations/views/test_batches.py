"""Batches on the page."""

from accounts.models import User
from conversations.batches import driving
from conversations.models import Batch
from conversations.services import runs
from tests.conversations.batches.files import workbook
from tests.conversations.batches.working import begin, place, rows, statuses
from tests.conversations.views.test_exports import logged_in, named


def test_from_the_form_to_the_answers(alice: User) -> None:
    page = logged_in(alice)
    sent = {"questions": "One?\r\n\r\nTwo?", "assistant": "guide", "title": "Numbers", "once": "1"}
    places = {page.post("/batches/", sent).headers["Location"] for _ in range(2)}
    batch = Batch.objects.get(user=alice)
    assert places == {f"/batches/{batch.id}/"}
    assert "data-active" in page.get("/batches/list/").content.decode()
    driving.drive(str(batch.id))
    claim = runs.claim(conversation=place(rows(batch)[0]), worker="test")
    assert claim
    runs.end(claim=claim, status="completed", text="<b>1</b>").result()

    shown = page.get(f"/batches/{batch.id}/progress/").content.decode()
    assert "&lt;b&gt;1&lt;/b&gt;" in shown
    assert "1 of 2 answered" in shown
    assert 'value="1" aria-label="Progress"' in shown
    assert f"/api/v1/batches/{batch.id}/results/?format=xlsx" in shown
    page.post(f"/batches/{batch.id}/stop/")
    assert statuses(batch) == ["done", "stopped"]
    assert "Go on with the rest" in page.get(f"/batches/{batch.id}/").content.decode()
    page.post(f"/batches/{batch.id}/resume/")
    assert statuses(batch) == ["done", "pending"]
    page.post(f"/batches/{batch.id}/remove/")
    assert not Batch.objects.filter(user=alice).exists()


def test_a_file(alice: User) -> None:
    page = logged_in(alice)
    file = named(workbook(["question"], ["One?"]), "x.xlsx")
    page.post("/batches/", {"file": file, "assistant": "guide", "per_conversation": "one"})
    assert Batch.objects.get(user=alice).per_conversation == "one"


def test_what_is_wrong_is_said_and_nothing_lost(alice: User) -> None:
    page = logged_in(alice)
    answer = page.post("/batches/", {"questions": "", "title": "Kept", "assistant": "guide"})
    assert (answer.status_code, "There is no question." in answer.content.decode()) == (400, True)
    assert 'value="Kept"' in answer.content.decode()
    answer = page.post("/batches/", {"file": named(b"a,b\n1,2", "x.csv"), "assistant": "guide"})
    assert "Row 1:" in answer.content.decode()


def test_nobody_else_comes_in(alice: User, mallory: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    page = logged_in(mallory)
    for below in ("", "progress/"):
        assert page.get(f"/batches/{batch.id}/{below}").status_code == 404
    for below in ("stop/", "resume/", "remove/"):
        assert page.post(f"/batches/{batch.id}/{below}").status_code == 404
    assert str(batch.id) not in page.get("/batches/").content.decode()
