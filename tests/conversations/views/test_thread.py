"""What a thread shows."""

import re
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from conversations.models import Member, Message
from conversations.services import conversations, runs
from tests.conversations.views.visitor import Visitor, ended, say


def test_an_answer_and_its_sources(alice: User, alices: Visitor, conversation: UUID, thread: str) -> None:
    say(alice, conversation, "Where?", assistant="guide")
    alices.get(thread)
    assert "waiting for its turn" in alices.page
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    sources = [
        {"title": "Storage", "page": "docs/how-it-works.md", "anchor": "one-flow"},
        {"title": "Web", "url": "https://example.org/"},
        {"title": "Bad", "url": "javascript:alert(1)"},
    ]
    step = {"step": "s1", "kind": "retrieval", "name": "documentation", "status": "completed", "sources": sources}
    runs.step(claim=claim, data=step).result()
    alices.get(thread)
    assert "waiting for its turn" not in alices.page
    assert '<a href="/documentation/docs/how-it-works.md#one-flow"' in alices.page
    assert '<a href="https://example.org/"' in alices.page
    assert "javascript:" not in alices.page
    assert 'data-status="streaming"' in alices.page
    assert re.search(r'name="run" value="[0-9a-f-]{36}"', alices.page)
    runs.end(claim=claim, status="completed", text="In `PostgreSQL`.").result()
    alices.get(thread)
    assert "<code>PostgreSQL</code>" in alices.page


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        ("stopped", None, "Stopped."),
        ("failed", {"code": "provider_timeout", "message": "x"}, "The model did not answer in time."),
        ("failed", {"code": "own", "message": "Of its own"}, "Of its own"),
        ("interrupted", {"code": "worker_lost", "message": "x"}, "The answer was interrupted."),
    ],
)
def test_what_did_not_end_well_says_so(
    alice: User, alices: Visitor, conversation: UUID, thread: str, status: str, error: Any, sentence: str
) -> None:
    say(alice, conversation, "Well?", assistant="guide")
    run = ended(conversation, "Half an ans", status, error=error)
    alices.get(thread)
    assert "Half an ans" in alices.page
    assert sentence in alices.page
    assert alices.get(f"{thread}m/{run.message}/").status_code == 200
    assert sentence in alices.page


def test_an_answer_that_came_late_says_what_it_answers(
    alice: User, alices: Visitor, conversation: UUID, thread: str
) -> None:
    say(alice, conversation, "First question", assistant="guide")
    say(alice, conversation, "Second question", assistant="guide")
    first, second = ended(conversation, "One"), ended(conversation, "Two")
    say(alice, conversation, "Third question", assistant="guide")
    third = ended(conversation, "Three")
    alices.get(thread)
    assert re.findall(r'class="asked" href="[^"]+">([^<]+)<', alices.page) == ["First question"]
    for run, asked in ((first, True), (second, False), (third, False)):
        alices.get(f"{thread}m/{run.message}/")
        assert ('class="asked"' in alices.page) is asked


def test_a_queued_answer_is_taken_back(alice: User, alices: Visitor, conversation: UUID, thread: str) -> None:
    run = say(alice, conversation, "Never mind", assistant="guide")["data"]["run"]
    for _ in range(2):
        assert alices.post(thread + "queue/", run=run).headers["Location"] == thread
    alices.get(thread)
    assert "This message was taken back before an answer began." in alices.page


def test_what_people_write_stays_text(alice: User, bobs: Visitor, conversation: UUID, thread: str) -> None:
    say(alice, conversation, "<script>alert('x')</script>")
    conversations.update(user=alice, conversation=conversation, changes={"title": "</title><script>"}).result()
    bobs.get(thread)
    assert "<script>alert" not in bobs.page
    assert "</title><script>" not in bobs.page


def test_nothing_on_a_page_is_inline(alices: Visitor, thread: str) -> None:
    for path in ("/", thread, "/accounts/logout/", "/nothing/"):
        answer = alices.get(path)
        scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", alices.page)
        assert all('type="application/json"' in one for one in scripts)
        assert not re.findall(r"<style|\sstyle=|\son\w+=", alices.page)
        assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_pages_are_kept_by_no_cache(alices: Visitor, thread: str) -> None:
    assert "no-store" in alices.get(thread).headers["Cache-Control"]


def test_older_messages(alice: User, alices: Visitor, conversation: UUID, thread: str) -> None:
    for number in range(60):
        say(alice, conversation, f"Message number {number}.")
    alices.get(thread)
    assert "number 59." in alices.page
    assert "number 9." not in alices.page
    before = re.findall(r'data-older href="([^"]+)"', alices.page)[0]
    alices.get(before)
    assert "number 9." in alices.page
    assert "number 59." not in alices.page
    assert "Back to the latest messages" in alices.page
    alices.get(before.replace("?", "m/?"))
    assert "data-older" not in alices.page


def test_what_was_seen_is_read(alice: User, bobs: Visitor, bob: User, conversation: UUID, thread: str) -> None:
    say(alice, conversation, "One")
    say(alice, conversation, "Two")
    bobs.get("/")
    assert ">2 unread<" in bobs.page
    bobs.get(thread)
    bobs.get("/list/")
    assert "unread" not in bobs.page
    say(alice, conversation, "Three")
    bobs.post(thread + "read/", seq=10**6)
    assert Member.objects.get(conversation=conversation, user=bob).read_seq == 5
    say(alice, conversation, "Four")
    bobs.post(thread + "read/", seq=1)
    bobs.get("/")
    assert ">1 unread<" in bobs.page


def test_how_many_queries_a_thread_takes(
    alice: User, alices: Visitor, conversation: UUID, thread: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        say(alice, conversation, f"Question {number}", assistant="guide")
        ended(conversation, "Answer")
    assert Message.objects.filter(conversation=conversation).count() == 40
    with django_assert_max_num_queries(20):
        alices.get(thread)
