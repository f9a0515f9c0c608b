"""Reports over the API: made, downloaded, shared by a link; by nobody else."""

import io
import time
from uuid import UUID, uuid4

import docx
import pytest
from django.test import override_settings

from accounts.models import AuditEntry, User
from conversations.models import Report, Share
from conversations.reports import making
from conversations.services import erasing
from tests.api import BOUNDARY, Answer, Api
from tests.conversations.batches.files import changed
from tests.conversations.reports.working import begin, made, talk, template, word


def upload(api: Api, content: bytes, key: str) -> Answer:
    parts = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\n{key}\r\n'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.docx"\r\n\r\n'
    form = (parts + head).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return api.request("POST", "report-templates/", form, kind)


def test_from_the_template_to_the_file(as_alice: Api, alice: User) -> None:
    place = talk(alice, "Tea/time", "Green?")
    given = docx.Document()
    given.add_paragraph("About {{ title }}")
    content = io.BytesIO()
    given.save(content)
    assert upload(as_alice, content.getvalue(), "minutes").json["kind"] == "docx"
    begun = as_alice.post("reports/", {"template": "minutes", "conversations": [str(place)]})
    assert (begun.status, begun.json["status"], begun.json["progress"], begun.json["format"]) == (
        201,
        "queued",
        0,
        "docx",
    )
    id_ = begun.json["id"]
    assert as_alice.get(f"reports/{id_}/download/").code == "conflict"
    making.work(id_)
    done = as_alice.get(f"reports/{id_}/").json
    assert (done["status"], done["progress"], done["title"]) == ("completed", 1, "Tea/time")
    assert done["download_url"] == f"/api/v1/reports/{id_}/download/"
    file = as_alice.get(f"reports/{id_}/download/")
    assert 'filename="Tea time.docx"' in file.headers["Content-Disposition"]
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert word(file.body).paragraphs[0].text == "About Tea/time"
    assert [one["id"] for one in as_alice.get("reports/").json["results"]] == [id_]
    actions = AuditEntry.objects.filter(target_id=id_).values_list("action", flat=True)
    assert sorted(actions) == ["report.downloaded", "report.started"]
    assert as_alice.delete(f"reports/{id_}/").status == 204
    assert as_alice.get(f"reports/{id_}/").code == "not_found"


@pytest.mark.parametrize("form", ["pdf", "html", "md", "docx"])
def test_every_form_has_its_type(as_alice: Api, alice: User, form: str) -> None:
    report = begin(alice, "transcript", talk(alice, "Tea", "Green?"), form=form)
    assert made(report)
    answer = as_alice.get(f"reports/{report.id}/download/")
    assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
    assert len(answer.body) == Report.objects.get(id=report.id).bytes


def test_what_may_be_reported(as_alice: Api, as_bob: Api, as_mallory: Api, alice: User, conversation: UUID) -> None:
    asked = {"conversations": [str(conversation)], "format": "md"}
    assert as_mallory.post("reports/", asked).code == "not_found"
    assert as_bob.post("reports/", asked).status == 201
    assert as_alice.post("reports/", {**asked, "conversations": [str(conversation), str(uuid4())]}).code == "not_found"
    assert as_alice.post("reports/", {**asked, "batch": str(uuid4())}).code == "not_found"
    assert as_alice.post("reports/", {**asked, "template": "none-such"}).code == "not_found"
    erasing.erase(user=alice, conversation=conversation)
    assert as_alice.post("reports/", asked).code == "not_found"


@pytest.mark.parametrize(
    "body",
    [
        {}, {"conversations": []}, {"conversations": ["x"]}, [1], {"conversations": [None]},
        {"conversations": [str(UUID(int=1))], "format": "doc"},
        {"conversations": [str(UUID(int=1))], "template": "a b"},
    ],
)  # fmt: skip
def test_bad_bodies(as_alice: Api, body: object) -> None:
    assert as_alice.post("reports/", body).code == "invalid"


def test_bad_templates(as_alice: Api) -> None:
    for content in ("", " ", "{{ secret }}"):
        assert as_alice.post("report-templates/", {"key": "x", "content": content}).code == "invalid"
    assert as_alice.post("report-templates/", {"key": "x"}).code == "invalid"
    assert as_alice.post("report-templates/", {"key": "x y", "content": "x"}).code == "invalid"
    assert as_alice.post("report-templates/", {"key": "x", "content": "x", "shared": True}).code == "forbidden"
    for content_ in (b"\xff\xfe\x00x", b"PK\x03\x04" + bytes(40), b"\x00"):
        assert upload(as_alice, content_, "x").code == "unsupported"
    with override_settings(REPORT_TEMPLATE_MAX_BYTES=3):
        assert as_alice.post("report-templates/", {"key": "x", "content": "abcd"}).code == "too_large"


DOCUMENT = "word/document.xml"
MERGED = "<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc></w:tr>"
NO_HEADER = '<w:headerReference r:id="rId999" w:type="default"/>'


def word_with(old: str, new: str) -> bytes:
    """A DOCX file with a table, in which something was changed by hand."""
    given = docx.Document()
    given.add_table(1, 1).rows[0].cells[0].text = "{{ title }}"
    content = io.BytesIO()
    given.save(content)
    return changed(content.getvalue(), DOCUMENT, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<w:tcPr>", '<w:tcPr><w:gridSpan w:val="500000000"/>', id="a cell that is very wide"),
        pytest.param("<w:tcPr>", '<w:tcPr><w:gridSpan w:val="x"/>', id="or as wide as a letter"),
        pytest.param("</w:tbl>", f"{MERGED * 5000}</w:tbl>", id="very high"),
    ],
)  # fmt: skip
def test_tables_are_not_laid_out(as_alice: Api, alice: User, old: str, new: str) -> None:
    assert upload(as_alice, word_with(old, new), "wide").status == 201
    document = word(made(begin(alice, "wide", talk(alice, "Tea"), form="docx")))
    assert "Tea" in document.element.xml


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("<w:body>", "<w:nobody>", id="damaged"),
        pytest.param("<w:document", "<w:else", id="another root"),
        pytest.param("<w:sectPr", f"<w:sectPr>{NO_HEADER}</w:sectPr><w:sectPr", id="no header"),
    ],
)  # fmt: skip
def test_damaged_word_files(as_alice: Api, old: str, new: str) -> None:
    assert upload(as_alice, word_with(old, new), "x").code == "unsupported"


def test_too_many_paragraphs(as_alice: Api) -> None:
    bomb = word_with("<w:body>", "<w:body>" + "<w:p/>" * 2_000_000)
    assert upload(as_alice, bomb, "x").code == "too_large"


def test_spaces_take_no_time(as_alice: Api) -> None:
    """Where a question has no end, it is not looked for from every place to every other."""
    content = "{{ ask:" + " " * 100_000 + "\n{{" + "\t" * 100_000 + "\n{{" + "a" * 100_000
    began = time.monotonic()
    assert as_alice.post("report-templates/", {"key": "x", "content": content}).status == 201
    assert time.monotonic() - began < 5


def test_templates_are_ones_own(as_alice: Api, as_mallory: Api) -> None:
    made_ = as_alice.post("report-templates/", {"key": "own", "name": "Own", "content": "# {{ title }}"})
    assert (made_.status, made_.json["name"], made_.json["shared"]) == (201, "Own", False)
    assert as_alice.post("report-templates/", {"key": "own", "content": "new"}).json["id"] == made_.json["id"]
    assert as_alice.get("report-templates/own/").body == b"new"
    assert as_alice.get("report-templates/summary/").body.startswith(b"# {{ title }}")
    assert "own" not in [one["key"] for one in as_mallory.get("report-templates/").json["results"]]
    assert as_mallory.get("report-templates/own/").code == "not_found"
    assert as_mallory.delete("report-templates/own/").code == "not_found"
    assert as_alice.delete("report-templates/own/").status == 204
    assert "own" not in [one["key"] for one in as_alice.get("report-templates/").json["results"]]


def test_the_same_key_begins_one(as_alice: Api, conversation: UUID) -> None:
    asked = {"conversations": [str(conversation)]}
    first, again = (as_alice.post("reports/", asked, Idempotency_Key="one").json for _ in range(2))
    assert first == again
    assert as_alice.post("reports/", {**asked, "format": "md"}, Idempotency_Key="one").code == "idempotency_mismatch"


@override_settings(REPORTS_MAX=1)
def test_there_are_not_too_many(as_alice: Api, conversation: UUID) -> None:
    asked = {"conversations": [str(conversation)]}
    assert as_alice.post("reports/", asked).status == 201
    assert as_alice.post("reports/", asked).code == "quota_exceeded"


def test_a_link_keeps_the_rules_of_shares(as_alice: Api, as_nobody: Api, alice: User) -> None:
    report = begin(alice, "transcript", talk(alice, "Tea", "Green?"))
    assert as_alice.post(f"reports/{report.id}/shares/", {}).code == "conflict"
    document = made(report)
    shared = as_alice.post(f"reports/{report.id}/shares/", {"password": "sesame", "max_views": 2}).json
    file = f"shared/{shared['token']}/file/"
    assert as_nobody.get(file).code == "unauthenticated"
    assert as_nobody.get(file, X_Share_Password="wrong").code == "unauthenticated"
    assert as_nobody.get(file, X_Share_Password="sesame").body == document
    assert as_nobody.get(f"shared/{shared['token']}/").code == "not_found"
    assert as_nobody.get(f"shared/{shared['token']}/events/").code == "not_found"
    assert as_nobody.get(file, X_Share_Password="sesame").status == 200
    assert as_nobody.get(file, X_Share_Password="sesame").code == "not_found"
    (listed,) = as_alice.get(f"reports/{report.id}/shares/").json["results"]
    assert (listed["id"], listed["views"], listed["password"]) == (shared["id"], 2, True)
    assert as_alice.post(f"reports/{report.id}/shares/", {"mode": "live"}).code == "invalid"


def test_a_link_ends(as_alice: Api, as_nobody: Api, alice: User) -> None:
    place = talk(alice, "Tea", "Green?")
    report, other = begin(alice, "transcript", place), begin(alice, "transcript", place)
    made(report), made(other)
    one, two = (as_alice.post(f"reports/{report.id}/shares/", {}).json for _ in range(2))
    assert as_alice.delete(f"reports/{other.id}/shares/{one['id']}/").code == "not_found"
    assert as_alice.delete(f"reports/{report.id}/shares/{one['id']}/").status == 204
    assert as_nobody.get(f"shared/{one['token']}/file/").code == "not_found"
    assert as_nobody.get(f"shared/{two['token']}/file/").status == 200
    Share.objects.filter(id=two["id"]).update(expires_at="2020-01-01T00:00Z")
    assert as_nobody.get(f"shared/{two['token']}/file/").code == "not_found"
    three = as_alice.post(f"reports/{report.id}/shares/", {}).json
    erasing.erase(user=alice, conversation=place)
    assert as_nobody.get(f"shared/{three['token']}/file/").code == "not_found"


def test_a_link_to_a_conversation_leads_to_no_file(as_alice: Api, as_nobody: Api, alice: User) -> None:
    token = as_alice.post(f"conversations/{talk(alice)}/shares/", {}).json["token"]
    assert as_nobody.get(f"shared/{token}/file/").code == "not_found"
    assert as_nobody.get(f"shared/{token}/").status == 200


def test_nobody_else_sees_it(as_alice: Api, as_mallory: Api, alice: User) -> None:
    report = begin(alice, template(alice, "x"), talk(alice))
    made(report)
    share = as_alice.post(f"reports/{report.id}/shares/", {}).json["id"]
    place = f"reports/{report.id}/"
    assert as_mallory.get("reports/").json["results"] == []
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("GET", "download/"), ("GET", "shares/"), ("POST", "shares/"),
        ("DELETE", f"shares/{share}/"),
    ):  # fmt: skip
        assert as_mallory.request(method, place + path, {} if method == "POST" else None, {}).code == "not_found"
