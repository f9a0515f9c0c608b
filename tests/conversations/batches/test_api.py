"""Batches over the API: begun, looked at, stopped, downloaded; by nobody else."""

import csv
import io
import json
from uuid import UUID

import openpyxl
import pytest
from django.test import override_settings

from accounts.models import AuditEntry, User
from conversations.batches import driving
from conversations.models import Batch, BatchRow, Conversation, Run
from conversations.pages import conversation_list
from conversations.services import batches, runs
from tests.api import Api
from tests.conversations.batches.files import upload, workbook
from tests.conversations.batches.working import begin, place, rows, statuses

FIELDS = {"id", "status", "total", "done", "failed", "rate", "eta", "results_url"}
FORMULAS = ["=1+1", "@SUM(A1)", "+1", "-1", "\tx"]


def answer(batch: Batch, *texts: str) -> None:
    """Have what is running answered by the guide of this test, in the order of the rows."""
    for row, text in zip(batch.rows.filter(status="running").order_by("number"), texts, strict=True):
        claim = runs.claim(conversation=place(row), worker="test")
        assert claim
        runs.end(claim=claim, status="completed", text=text, usage={"input_tokens": 3, "output_tokens": 5}).result()


def test_from_a_list_to_the_answers(as_alice: Api, alice: User) -> None:
    made = as_alice.post("batches/", {"questions": ["One?", "Two?"], "assistant": "guide", "title": "Numbers"})
    assert made.status == 201
    assert made.json.keys() >= FIELDS
    assert (made.json["status"], made.json["total"], made.json["done"]) == ("queued", 2, 0)
    id_ = made.json["id"]
    driving.drive(id_)
    batch = Batch.objects.get(id=id_)
    row, other = rows(batch)
    claim = runs.claim(conversation=place(row), worker="test")
    assert claim
    runs.end(claim=claim, status="completed", text="1").result()
    half = as_alice.get(f"batches/{id_}/").json
    assert (half["status"], half["done"], half["left"], half["progress"]) == ("running", 1, 1, 0.5)
    assert half["rate"] > 0
    assert half["seconds_left"] >= 0
    assert half["eta"]

    lines = as_alice.get(f"batches/{id_}/results/").body.decode().splitlines()
    found = [json.loads(line) for line in lines]
    assert [(one["number"], one["status"], one["question"], one["answer"]) for one in found] == [
        (1, "done", "One?", "1"), (2, "running", "Two?", ""),
    ]  # fmt: skip
    assert found[1]["conversation"] == str(other.conversation_id)
    assert [one["id"] for one in as_alice.get("batches/").json["results"]] == [id_]


def test_the_answers_in_every_form(as_alice: Api, alice: User) -> None:
    batch = begin(alice, FORMULAS, "guide", title="Risky: /x")
    with override_settings(BATCH_PARALLEL=9):
        driving.drive(str(batch.id))
    answer(batch, "=cmd|' /C calc'!A0", "# Heading\n\ntext", "三", "-4", "5")
    driving.drive(str(batch.id))
    place = f"batches/{batch.id}/results/"

    table = as_alice.get(f"{place}?format=csv")
    assert table.headers["Content-Disposition"].startswith("attachment")
    lines = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"))))
    assert [line["question"] for line in lines] == [f"'{text}" for text in FORMULAS]
    assert [line["answer"] for line in lines] == ["'=cmd|' /C calc'!A0", "# Heading\n\ntext", "三", "'-4", "5"]
    assert [line["output_tokens"] for line in lines] == ["5"] * 5

    sheet = openpyxl.load_workbook(io.BytesIO(as_alice.get(f"{place}?format=xlsx").body)).active
    assert [cell.data_type for cell in sheet["C"]] == ["s"] * 6
    assert sheet["D2"].value == "=cmd|' /C calc'!A0"

    report = as_alice.get(f"{place}?format=md").body.decode()
    assert report.startswith("# Risky: /x\n")
    assert "## 2. @SUM(A1)\n\n### Heading" in report
    assert "5 questions: 5 answered" in report
    assert as_alice.get(f"{place}?format=pdf").code == "invalid"
    kinds = AuditEntry.objects.filter(target_id=str(batch.id)).values_list("action", flat=True)
    assert sorted(kinds) == ["batch.downloaded"] * 3 + ["batch.started"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"id,question\n1,Why?\n2,How?\n", "x.csv"),
        (b"Why?\nHow?\n", "x.txt"),
        (b'{"question": "Why?"}\n{"question": "How?"}\n', "x.jsonl"),
        (workbook(["question"], ["Why?"], ["How?"]), "x.xlsx"),
    ],
)
def test_from_a_file(as_alice: Api, content: bytes, name: str) -> None:
    made = upload(as_alice, content, name, assistant="guide", per_conversation="one", title="File")
    assert (made.status, made.json["total"], made.json["per_conversation"]) == (201, 2, "one")


def test_what_is_wrong_with_a_row_is_told_and_nothing_begun(as_alice: Api, alice: User) -> None:
    with override_settings(MESSAGE_MAX_LENGTH=10):
        made = upload(as_alice, b"id,question\n1,Why?\n2,How is it possible?\n", "x.csv", assistant="guide")
        assert (made.status, made.json["errors"]["questions"][0][:6]) == (400, "Row 3:")
        listed = as_alice.post("batches/", {"questions": ["x", "y" * 11, " "], "assistant": "guide"})
    assert [text[:6] for text in listed.json["errors"]["questions"]] == ["Row 2:", "Row 3:"]
    assert not Batch.objects.filter(user=alice).exists()
    assert not Conversation.objects.filter(owner=alice).exists()


@pytest.mark.parametrize(
    "body",
    [
        {}, {"questions": []}, {"questions": "Why?"}, {"questions": [1]}, {"questions": [None]}, [1],
        {"questions": ["x"], "assistant": "nobody"}, {"questions": ["x"], "per_conversation": "two"},
        {"questions": ["x"], "title": "x" * 300}, {"questions": ["\ud800"]},
    ],
)  # fmt: skip
def test_bad_bodies(as_alice: Api, body: object) -> None:
    assert as_alice.post("batches/", body).code == "invalid"


def test_where_it_may_be_asked(as_alice: Api, as_bob: Api, as_mallory: Api, conversation: UUID) -> None:
    asked = {"questions": ["x"], "assistant": "guide", "conversation": str(conversation)}
    assert as_mallory.post("batches/", asked).code == "not_found"
    assert as_bob.post("batches/", asked).status == 201
    assert as_alice.post("batches/", {**asked, "per_conversation": "each"}).code == "invalid"


def test_the_same_key_begins_one(as_alice: Api) -> None:
    asked = {"questions": ["x"], "assistant": "guide"}
    first, again = (as_alice.post("batches/", asked, Idempotency_Key="one").json for _ in range(2))
    assert first == again
    assert (
        as_alice.post("batches/", {**asked, "questions": ["y"]}, Idempotency_Key="one").code == "idempotency_mismatch"
    )
    as_alice.delete(f"batches/{first['id']}/")
    assert as_alice.post("batches/", asked, Idempotency_Key="one").code == "conflict"


@override_settings(BATCHES_MAX=1)
def test_there_are_not_too_many(as_alice: Api, alice: User) -> None:
    batch = begin(alice, ["x"], "guide")
    assert as_alice.post("batches/", {"questions": ["x"], "assistant": "guide"}).code == "quota_exceeded"
    assert as_alice.delete(f"batches/{batch.id}/").status == 204
    assert not BatchRow.objects.filter(batch_id=batch.id).exists()


@override_settings(BATCH_MAX_ROWS=2)
def test_there_is_a_limit_of_rows(as_alice: Api) -> None:
    assert as_alice.post("batches/", {"questions": ["x"] * 3, "assistant": "guide"}).code == "too_large"


def test_stop_and_resume(as_alice: Api, alice: User) -> None:
    batch = begin(alice, ["One?", "Two?"], "guide")
    driving.drive(str(batch.id))
    assert as_alice.post(f"batches/{batch.id}/resume/").code == "conflict"
    stopped = as_alice.post(f"batches/{batch.id}/stop/").json
    assert (stopped["status"], stopped["stopped"], stopped["left"]) == ("stopped", 2, 0)
    assert as_alice.post(f"batches/{batch.id}/stop/").json["status"] == "stopped"
    assert Run.objects.filter(requested_by=alice.id, status="stopped").count() == 2
    assert as_alice.post(f"batches/{batch.id}/resume/").json["status"] == "queued"
    assert statuses(batch) == ["pending", "pending"]


def test_its_conversations_do_not_fill_the_list(as_alice: Api, as_bob: Api, alice: User, bob: User) -> None:
    """Those of one question each: found through the batch and by search, and listed where somebody else is a member."""

    def listed(api: Api, query: str = "") -> set[str]:
        return {one["id"] for one in api.get(f"conversations/?limit=50{query}").json["results"]}

    usual = as_alice.post("conversations/", {"title": "Usual"}).json["id"]
    batch, together = (
        begin(alice, ["Gryphon?", "Two?"], "guide"),
        begin(alice, ["Three?"], "guide", per_conversation="one"),
    )
    for one in (batch, together):
        driving.drive(str(one.id))
    places = {str(place(row)) for row in rows(batch)}
    (shared,) = {str(place(row)) for row in rows(together)}
    assert listed(as_alice) == {usual, shared}
    assert listed(as_alice, f"&batch={batch.id}") == places
    assert listed(as_alice, f"&batch={together.id}") == {shared}
    assert len(listed(as_alice, "&q=gryphon")) == 1
    assert listed(as_bob, f"&batch={batch.id}") == set()
    assert as_alice.get("conversations/?batch=x").code == "invalid"
    first = min(places)
    as_alice.post(f"conversations/{first}/members/", {"user": bob.username})
    assert listed(as_bob) == {first}
    assert {str(one.id) for one in conversation_list(alice).entries} == {usual, shared}
    batches.remove(user=alice, batch=batch.id)
    assert listed(as_alice) == {usual, shared, *places}


def test_nobody_else_sees_it(as_alice: Api, as_mallory: Api, alice: User) -> None:
    batch = begin(alice, ["One?"], "guide")
    place = f"batches/{batch.id}/"
    assert as_mallory.get("batches/").json["results"] == []
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("POST", "stop/"), ("POST", "resume/"), ("GET", "results/"),
    ):  # fmt: skip
        assert as_mallory.request(method, place + path, None, {}).code == "not_found"
    assert as_alice.get(place).status == 200
