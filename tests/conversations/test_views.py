"""The pages as a browser without JavaScript sees them: Alice owns, Bob is a member, Mallory a stranger."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.access import ROLES
from conversations.models import Conversation, Member, Message, Run
from conversations.services import conversations, members, messages, runs
from conversations.urls import urlpatterns
from tests.conversations.support import check_numbers, texts


class Visitor:
    """A browser with a session; `page` is what it got last."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user)

    def get(self, path: str) -> Any:
        return self.remember(self.client.get(path))

    def post(self, path: str, **fields: Any) -> Any:
        return self.remember(self.client.post(path, fields))

    def remember(self, response: Any) -> Any:
        self.page = response.content.decode()
        return response


@pytest.fixture
def alices(alice: User) -> Visitor:
    return Visitor(alice)


@pytest.fixture
def bobs(bob: User) -> Visitor:
    return Visitor(bob)


@pytest.fixture
def mallorys(mallory: User) -> Visitor:
    return Visitor(mallory)


@pytest.fixture
def thread(conversation: UUID) -> str:
    return f"/c/{conversation}/"


def say(user: User, conversation: UUID, text: str, **more: Any) -> dict[str, Any]:
    return messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id()), **more).result().main


def ended(conversation: UUID, text: str, status: str = "completed", **more: Any) -> Run:
    """The oldest queued answer, written and ended."""
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    runs.end(claim=claim, status=status, text=text, **more).result()
    return Run.objects.get(id=claim.run)


# ---- who gets in


@pytest.mark.parametrize("path", ["/", "/list/", f"/c/{new_id()}/", f"/c/{new_id()}/m/"])
def test_who_is_not_logged_in_is_asked_to(path: str) -> None:
    assert Visitor(None).get(path).headers["Location"] == f"/accounts/login/?next={path}"


def test_strangers_learn_nothing(mallorys: Visitor, alice: User, conversation: UUID, thread: str) -> None:
    message = say(alice, conversation, "Secret plan")["data"]["message"]
    for path in (thread, f"{thread}m/", f"{thread}m/{message}/"):
        assert mallorys.get(path).status_code == 404
        assert "Secret plan" not in mallorys.page
        known, guessed = mallorys.page, mallorys.get(path.replace(str(conversation), str(new_id()))) and mallorys.page
        assert without_ids(known) == without_ids(guessed)
    posts: dict[str, dict[str, Any]] = {
        "": {"message": "hi"},
        "title/": {"title": "x"},
        "status/": {"status": "archived"},
        "read/": {"seq": 1},
    }
    for path, fields in posts.items():
        assert mallorys.post(thread + path, **fields).status_code == 404
    run = say(alice, conversation, "Go on", assistant="guide")["data"]["run"]
    assert mallorys.post(thread + "stop/", run=run).status_code == 404
    assert texts(conversation) == ["Secret plan", "Go on"]


def without_ids(page: str) -> str:
    """What differs from one answer to the next."""
    return re.sub(r"[0-9a-f-]{36}|value=\"\w{64}\"", "", page)


@pytest.mark.parametrize(
    ("path", "fields", "role"),
    [("", {"message": "hi"}, "viewer"), ("title/", {"title": "x"}, "agent"), ("status/", {"status": "open"}, "editor")],
)
def test_a_role_does_what_it_may(
    alice: User, bob: User, bobs: Visitor, conversation: UUID, thread: str, path: str, fields: Any, role: str
) -> None:
    members.change(actor=alice, conversation=conversation, user=bob.id, role=role).result()
    before = check_numbers(conversation)
    assert bobs.post(thread + path, **fields).status_code == 403
    assert check_numbers(conversation) == before


def test_every_page_says_what_it_takes() -> None:
    for one in urlpatterns:
        if "<uuid:id>" in str(one.pattern):
            view = one.callback.view_class  # type: ignore[attr-defined]
            methods = {method.upper() for method in ("get", "post") if hasattr(view, method)}
            assert set(view.permissions) == methods, one.pattern
            assert set(view.permissions.values()) <= ROLES["owner"]


def test_a_form_without_its_token_changes_nothing(alice: User, conversation: UUID, thread: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    answer = strict.post(thread, {"message": "forged"})
    assert answer.status_code == 403
    assert "You may not do this." in answer.content.decode()
    assert texts(conversation) == []


# ---- writing


def test_a_conversation_comes_into_being_with_its_first_message(alice: User, alices: Visitor) -> None:
    alices.get("/")
    assert not Conversation.objects.filter(owner=alice).exists()
    once = re.findall(r'name="once" value="([^"]+)"', alices.page)[0]
    there = alices.post("/", message="What is\r\nthis?", assistant="guide", once=once).headers["Location"]
    assert alices.post("/", message="What is\r\nthis?", assistant="guide", once=once).headers["Location"] == there
    conversation = Conversation.objects.get(owner=alice)
    assert there == f"/c/{conversation.id}/"
    assert texts(conversation.id) == ["What is\nthis?"]
    assert conversation.assistant == "guide"


def test_going_back_and_writing_something_else_begins_another(alice: User, alices: Visitor) -> None:
    first = alices.post("/", message="One", once="1").headers["Location"]
    assert alices.post("/", message="Two", once="1").headers["Location"] != first


def test_a_suggestion_is_sent_as_it_stands(alice: User, alices: Visitor) -> None:
    alices.post("/", message="", suggestion="Where are my messages stored?")
    assert texts(Conversation.objects.get(owner=alice).id) == ["Where are my messages stored?"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"message": " "}, 400), ({"message": "x" * 32001}, 413), ({"message": "x", "assistant": "nobody"}, 400)],
)
def test_what_is_refused_is_given_back(alice: User, alices: Visitor, fields: Any, status: int) -> None:
    assert alices.post("/", **fields).status_code == status
    assert f">{fields['message']}</textarea>" in alices.page
    assert 'role="alert"' in alices.page
    assert not Conversation.objects.filter(owner=alice).exists()


def test_a_message_without_javascript(alices: Visitor, bobs: Visitor, conversation: UUID, thread: str) -> None:
    alices.get(thread)
    once = re.findall(r'name="once" value="([^"]+)"', alices.page)[0]
    for _ in range(2):
        assert alices.post(thread, message="**Hello** Bob", once=once).headers["Location"] == thread
    assert texts(conversation) == ["**Hello** Bob"]
    bobs.get(thread)
    assert "<strong>Hello</strong> Bob" in bobs.page


def test_a_message_that_is_refused_is_given_back(alices: Visitor, conversation: UUID, thread: str) -> None:
    alices.post(thread + "status/", status="archived")
    assert alices.post(thread, message="Too late").status_code == 409
    assert "This conversation is archived" in alices.page


@pytest.mark.parametrize("before", ["x", "-1", "0", str(2**63)])
def test_a_place_that_is_none_is_bad_input(alices: Visitor, thread: str, before: str) -> None:
    assert alices.get(f"{thread}?before={before}").status_code == 400


@pytest.mark.parametrize("after", ["x", "2026-01-01T00:00:00Z", f"~{new_id()}", f"2026-01-01~{new_id()}"])
def test_a_place_in_the_list_that_is_none_is_bad_input(alices: Visitor, after: str) -> None:
    assert alices.get(f"/?after={after}").status_code == 400


# ---- reading


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
        assert alices.post(thread + "stop/", run=run).headers["Location"] == thread
    alices.get(thread)
    assert "Taken back before an answer began." in alices.page


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
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


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
    assert alices.page.lstrip().startswith("<article")
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


def test_how_many_queries_a_thread_takes(
    alice: User, alices: Visitor, conversation: UUID, thread: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        say(alice, conversation, f"Question {number}", assistant="guide")
        ended(conversation, "Answer")
    assert Message.objects.filter(conversation=conversation).count() == 40
    with django_assert_max_num_queries(20):
        alices.get(thread)


# ---- languages


def test_the_page_speaks_chinese_to_who_asks_for_it(alice: User, alices: Visitor) -> None:
    answer = alices.client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-hans">' in answer.content.decode()
    assert "您想了解什么？" in answer.content.decode()


def test_a_chosen_language_stays_with_the_account(alice: User, alices: Visitor) -> None:
    alices.post("/language/", language="zh-hans", next="/")
    alices.get("/")
    assert "您想了解什么？" in alices.page
    elsewhere = Visitor(None)
    elsewhere.post("/accounts/login/", login=alice.username, password="correct horse battery 9")
    elsewhere.get("/")
    assert "您想了解什么？" in elsewhere.page


def test_a_language_that_we_do_not_speak_changes_nothing(alice: User, alices: Visitor) -> None:
    alices.post("/language/", language="xx", next="https://evil.example/")
    alice.refresh_from_db()
    assert alice.language == ""
    assert settings.LANGUAGE_COOKIE_NAME not in alices.client.cookies


# ---- documentation


def test_the_documentation_can_be_read_by_everybody() -> None:
    visitor = Visitor(None)
    visitor.get("/documentation/")
    for address in re.findall(r'<li><a href="([^"]+)"', visitor.page):
        assert visitor.get(address).status_code == 200
        assert '<div class="prose">' in visitor.page


@pytest.mark.parametrize("page", ["docs/nothing.md", "../manage.py", "docs/../manage.py", "manage.py", "docs/%00"])
def test_only_documentation_is_shown(page: str) -> None:
    assert Visitor(None).get(f"/documentation/{page}").status_code == 404


# ---- failures


def test_failures_are_pages(alices: Visitor) -> None:
    assert alices.get("/nothing/here/").status_code == 404
    assert "There is nothing here" in alices.page
    assert alices.get(f"/c/{new_id()}/").status_code == 404
    assert "There is nothing here" in alices.page
