"""Reports from the template to the document."""

import io
import time
import tracemalloc
from typing import Any

import docx
import pytest
from django.db.models.functions import Now
from django.test import override_settings

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import queue
from conversations.batches import driving
from conversations.models import Batch, Conversation, Report, ReportFile, Run
from conversations.reports import documents, making
from conversations.services import erasing, members, reports, runs
from tests.conversations.batches import working as batching
from tests.conversations.reports.working import RICH, begin, filled, made, pdf_text, talk, template, word
from tests.conversations.support import texts
from tests.provider import Provider


def test_what_is_filled_in(alice: User) -> None:
    place = talk(alice, "Tea *time*", "Green?", "Black?")
    text = filled(alice, "{{ title }}|{{ author }}|{{participants}}|{{ messages }}|{{ last_answer }}|{{ rows }}", place)
    assert text == "Tea \\*time\\*|Alice|Alice, guide|4|BLACK?|—"
    transcript = filled(alice, "{{ transcript }}", place)
    assert transcript.count("**Alice**") == 2
    assert "> GREEN?" in transcript
    assert filled(alice, "{{ date }} {{ began }}", place).count("-") == 4


def test_of_several_conversations(alice: User) -> None:
    places = [talk(alice, "One", "first"), talk(alice, "Two", "second")]
    text = filled(alice, "{{ conversations }}\n\n{{ transcript }}", *reversed(places))
    assert text.startswith("- Two\n- One\n\n## Two\n")
    assert text.index("## Two") < text.index("## One")


def test_what_is_said_is_never_a_placeholder_or_markup(alice: User) -> None:
    """Nothing that is filled in is looked at again; nothing breaks out of its quotation."""
    place = talk(alice, "Tea {{ author }}", "{{ messages }} <script>x</script>\n\n# Heading\n```")
    text = filled(alice, "{{ title }} {{ transcript }} end", place)
    assert "{{ author }}" in text
    assert "{{ messages }}" in text
    html = made(begin(alice, "transcript", place, form="html")).decode()
    assert "<script>" not in html
    assert "<h1>Heading</h1>" in html.split("<blockquote>")[1]


@pytest.mark.parametrize(
    "text",
    ["{{ user.password }}", "{{ title.__class__ }}", "{{ config }}", "x\n{{ title|safe }}", "{{ ask: }}", "{{ 1+1 }}"],
)
def test_what_is_no_placeholder_is_refused_with_its_line(alice: User, text: str) -> None:
    with pytest.raises(Problem, match="invalid") as caught:
        template(alice, text)
    assert f"Line {text.count(chr(10)) + 1}:" in str(caught.value.errors)


def test_docx_and_pdf_are_opened_again(alice: User) -> None:
    key = template(alice, RICH + "\n\n{{ title }}")
    place = talk(alice, "茶 und Öl")
    document = word(made(begin(alice, key, place, form="docx")))
    styles = {line.text: line.style.name for line in document.paragraphs}
    assert styles["Plan"] == "Heading 1"
    assert styles["one"] == "List Bullet"
    assert "1. deep" in styles
    assert [cell.text for cell in document.tables[0].rows[1].cells] == ["one", "二"]
    bold = [run.text for line in document.paragraphs for run in line.runs if run.bold]
    assert bold == ["bold"]

    text = pdf_text(made(begin(alice, key, place, form="pdf")))
    for piece in ("Plan", "你好世界", "二", "x=1", "茶undÖl", "1.deep", "quoted"):
        assert piece in text


def test_a_long_pdf_has_pages(alice: User) -> None:
    key = template(alice, "\n\n".join(f"{number}. {'word ' * 60}" for number in range(120)) + "\n\n" + "x" * 5000)
    assert len(pdf_text(made(begin(alice, key, talk(alice), form="pdf")))) > 25_000


@pytest.mark.parametrize("form", ["docx", "pdf", "html", "md"])
@pytest.mark.parametrize(
    "text",
    [
        "", "\x07\x0b\x1b", "😀 \u200f\u202e", "| a |\n|---|\n", "> " * 200 + "x", "- " * 200 + "x",
        "![x](y) [z](javascript:1)", "a" * 20_000, "```\n" + "y" * 3000, "|" + "|" * 300 + "\n|" + "-|" * 300,
        "\ufffe\uffff",
    ],
)  # fmt: skip
def test_whatever_was_said(alice: User, form: str, text: str) -> None:
    place = talk(alice, "Odd", text + ".")
    key = template(alice, "{{ last_answer }}\n\n{{ transcript }}")
    assert made(begin(alice, key, place, form=form))


def test_a_docx_template(alice: User) -> None:
    """A placeholder alone becomes blocks in the styles of the document; one in a line, a table or a header text."""
    given = docx.Document()
    line = given.add_paragraph("Minutes of ")
    line.add_run("{{ ti").bold = True
    line.add_run("tle }} by {{ author }}")
    given.add_paragraph("{{ last_answer }}")
    given.add_paragraph("Signed")
    given.add_table(1, 1).rows[0].cells[0].text = "{{ messages }}"
    given.sections[0].header.paragraphs[0].text = "{{ date }} x"
    content = io.BytesIO()
    given.save(content)
    key = template(alice, content.getvalue())
    place = talk(alice, "Tea", "# head\n\n- one")
    document = word(made(begin(alice, key, place, form="docx")))
    assert [(line.text, line.style.name) for line in document.paragraphs] == [
        ("Minutes of Tea by Alice", "Normal"), ("HEAD", "Heading 1"), ("ONE", "List Bullet"), ("Signed", "Normal"),
    ]  # fmt: skip
    assert document.tables[0].rows[0].cells[0].text == "2"
    assert "{{" not in document.sections[0].header.paragraphs[0].text
    with pytest.raises(Problem, match="invalid"):
        begin(alice, key, place, form="pdf")


async def test_what_a_template_asks(alice: User, provider: Provider) -> None:
    """In temporary conversations, with what was said in front; the report waits for the answers."""
    place = await in_thread(talk, alice, "Tea", "Green tulips?")
    key = await in_thread(template, alice, "{{ ask: say one }}/{{ ask: status 401 }}/{{ ask: say one }}/{{ title }}")
    report = await in_thread(lambda: begin(alice, key, place, assistant="openai"))
    assert report.asked_id
    await in_thread(making.work, str(report.id))
    assert (await Report.objects.aget(id=report.id)).status == "queued"
    assert (await batching.work(await Batch.objects.aget(id=report.asked_id))).status == "completed"
    assert await in_thread(lambda: made(report).decode()) == "one/—/one/Tea"
    sent = next(one for one in provider.requests if one.text == "say one").body["messages"]
    assert "Green tulips?" in str(sent)
    temporary = Conversation.objects.filter(owner=alice, expires_at__isnull=False)
    assert await temporary.acount() == 2
    assert len(provider.asked("say one")) == 1


def test_the_answers_have_it_made(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key = template(alice, "{{ ask: Why? }}")
    report = begin(alice, key, talk(alice, "Tea", "Green?"))
    asked = str(report.asked_id)
    driving.drive(asked)
    (row,) = batching.rows(Batch.objects.get(id=asked))
    claim = runs.claim(conversation=batching.place(row), worker="test")
    assert claim
    enqueued: list[dict[str, str]] = []
    runs.end(claim=claim, status="completed", text="So").result()
    monkeypatch.setattr(queue, "enqueue", lambda name, **given: enqueued.append({"name": name, **given}))
    driving.drive(asked)
    assert enqueued == [{"name": queue.REPORT, "report": str(report.id)}]
    assert made(report) == b"So"


def test_of_a_batch(alice: User) -> None:
    batch = batching.begin(alice, ["One?"], "guide", title="Numbers")
    driving.drive(str(batch.id))
    claim = runs.claim(conversation=batching.place(batching.rows(batch)[0]), worker="test")
    assert claim
    runs.end(claim=claim, status="completed", text="1").result()
    report = begin(alice, "batch", batch=batch.id)
    text = made(report).decode()
    assert "# Numbers" in text
    assert "1 / 1" in text
    assert "## 1. One?\n\n1\n" in text
    erasing.erase(user=alice, conversation=batching.place(batching.rows(batch)[0]))
    assert not Report.objects.filter(id=report.id).exists()


def test_a_worker_that_only_slept_writes_nothing(alice: User) -> None:
    report = begin(alice, "transcript", talk(alice, "Tea", "Green?"))
    asleep = making._claim(report.id)
    assert asleep
    assert making._claim(report.id) is None
    Report.objects.filter(id=report.id).update(lease_until=None)
    document = made(report)
    making._store(asleep, b"late")
    assert made(report) == document


def test_mending(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    report = begin(alice, "transcript", talk(alice))
    enqueued: list[str] = []
    monkeypatch.setattr(queue, "enqueue", lambda name, **given: enqueued.append(given["report"]))
    reports.mend()
    assert str(report.id) in enqueued
    Report.objects.filter(id=report.id).update(fence=reports.ATTEMPTS, lease_until=Now())
    reports.mend()
    assert Report.objects.get(id=report.id).status == "failed"


@override_settings(EXPORT_LEASE_SECONDS=1)
def test_one_that_takes_longer_than_its_lease_is_left_to_its_worker(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one worker after the other would begin it anew, and none ever end it."""
    report, enqueued, write = begin(alice, "transcript", talk(alice, "Tea", "Green?")), [], documents.made

    def slowly(*given: Any) -> bytes:
        time.sleep(2.5)
        monkeypatch.setattr(queue, "enqueue", lambda name, **more: enqueued.append(more["report"]))
        reports.mend()
        return write(*given)

    monkeypatch.setattr(documents, "made", slowly)
    assert b"Green?" in made(report)
    assert str(report.id) not in enqueued


@override_settings(REPORT_MAX_BYTES=10)
def test_one_that_gets_too_large_fails(alice: User) -> None:
    report = begin(alice, "transcript", talk(alice, "Tea", "Green?"))
    making.work(str(report.id))
    report.refresh_from_db()
    assert (report.status, (report.error or {}).get("code")) == ("failed", "too_large")


def test_the_same_a_hundred_thousand_times_fails_before_it_is_written(alice: User) -> None:
    """Ten gigabytes would take the worker, and all that it answers, with them."""
    key = template(alice, "{{ transcript }}" * 100_000)
    report = begin(alice, key, talk(alice, "Tea", "x" * 30_000))
    tracemalloc.start()
    making.work(str(report.id))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report.refresh_from_db()
    assert (report.status, (report.error or {}).get("code")) == ("failed", "too_large")
    assert most < 50_000_000


def test_erasing_a_conversation_deletes_what_was_made_of_it(alice: User) -> None:
    place = talk(alice, "Tea", "Green tulips?")
    key = template(alice, "{{ ask: Why? }}")
    one, two = begin(alice, "transcript", place), begin(alice, key, place)
    made(one)
    assert two.asked_id
    erasing.erase(user=alice, conversation=place)
    assert not Report.objects.filter(user=alice).exists()
    assert not ReportFile.objects.filter(report_id=one.id).exists()
    assert not Batch.objects.filter(id=two.asked_id).exists()


@pytest.mark.parametrize("ended", ["erased", "deleted"])
def test_what_was_told_to_an_assistant_goes_with_it(alice: User, monkeypatch: pytest.MonkeyPatch, ended: str) -> None:
    """The conversations in which a template asks begin with what was said: they are erased at once, unanswered."""
    place = talk(alice, "Tea", "Green tulips?")
    report = begin(alice, template(alice, "{{ ask: Why? }}"), place)
    driving.drive(str(report.asked_id))
    (asking,) = Conversation.objects.filter(owner=alice, expires_at__isnull=False)
    assert "Green tulips?" in texts(asking.id)[0]
    enqueued: list[dict[str, str]] = []
    monkeypatch.setattr(queue, "enqueue", lambda name, **given: enqueued.append({"name": name, **given}))
    if ended == "erased":
        erasing.erase(user=alice, conversation=place)
    else:
        reports.remove(user=alice, report=report.id)
    assert enqueued == [{"name": queue.ERASE, "conversation": str(asking.id)}]
    for _ in range(2):
        erasing.erase_made(str(asking.id))
    asking.refresh_from_db()
    assert asking.erased_at
    assert Run.objects.get(conversation=asking.id).status == "stopped"


def test_what_may_not_be_read_any_more_is_left_out(alice: User, bob: User) -> None:
    place = talk(alice, "Tea", "Green tulips?")
    members.add(actor=alice, conversation=place, user=bob, role="viewer").result()
    report = begin(bob, "transcript", place)
    members.remove(actor=alice, conversation=place, user=bob.id).result()
    assert b"tulip" not in made(report)


def test_nothing_is_stored_in_clear(alice: User) -> None:
    place = talk(alice, "Tulips", "Green tulips?")
    key = template(alice, "Tulip {{ transcript }} {{ ask: Tulips? }}")
    report = begin(alice, key, place)
    Run.objects.filter(requested_by=alice.id).update(ended_at=Now())
    Batch.objects.filter(asked_for=report).update(status="completed")
    document = made(report)
    assert b"ulip" in document
    rows = [
        Report.objects.filter(id=report.id),
        ReportFile.objects.filter(report=report),
        Batch.objects.filter(user=alice),
    ]
    stored = [value for found in rows for row in found.values() for value in row.values()]
    assert not [
        value for value in stored if b"ulip" in (bytes(value) if isinstance(value, memoryview) else str(value).encode())
    ]


def test_own_shared_and_builtin_templates(alice: User, bob: User) -> None:
    place = talk(alice, "Tea")
    bob.is_staff = True
    bob.save()
    assert made(begin(alice, "transcript", place)).startswith(b"# Tea")
    template(bob, "shared", f"s-{place.hex}", shared=True)
    assert made(begin(alice, f"s-{place.hex}", place)) == b"shared"
    template(alice, "own", f"s-{place.hex}")
    assert made(begin(alice, f"s-{place.hex}", place)) == b"own"
    with pytest.raises(Problem, match="forbidden"):
        template(alice, "x", shared=True)
