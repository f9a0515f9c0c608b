"""A conversation as a file: what REST gives, all of it, and nothing that was said while it was sent."""

import json
from unittest.mock import ANY
from uuid import UUID

import pytest
from markdown_it import MarkdownIt

from accounts.models import AuditEntry, User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations.models import Conversation
from conversations.services import conversations, members, messages, runs
from conversations.transfer import exporting, filenames, transcript
from tests.api import Api
from tests.conversations.support import frames
from tests.conversations.transfer.files import ask, download, lines

TEXTS = [
    "Hello",
    "日本語 👋🏽 \u2028 line",
    "```\nnever closed <!-- nor this",
    "a\r\nb\tc",
    "<script>alert(1)</script>",
]


def say(user: User, conversation: UUID, *texts: str) -> None:
    for n, text in enumerate(texts):
        messages.send(user=user, conversation=conversation, text=text, cmid=f"{text}-{n}"[:100].strip()).result(30)


@pytest.fixture
def told(alice: User, bob: User) -> UUID:
    """A conversation with texts of all kinds and an answered question."""
    made = conversations.create(user=alice, title="Tea: *green* / <b>", members=[{"user": bob.username}]).result(30)
    id_ = made.conversation.id
    for n, text in enumerate(TEXTS):
        messages.send(user=(alice, bob)[n % 2], conversation=id_, text=text, cmid=str(n)).result(30)
    messages.send(user=bob, conversation=id_, text="Why?", cmid="why", assistant="guide").result(30)
    claim = runs.claim(conversation=id_, worker="test")
    assert claim
    step = {"step": "s", "kind": "tool", "name": "look", "status": "completed", "input": {"q": 1}, "output": [None]}
    runs.step(claim=claim, data=step).result(30)
    runs.end(claim=claim, status="failed", text="Because", usage={"n": 1}, error={"code": "x", "message": "y"}).result(
        30
    )
    return id_


async def test_lines_are_events_as_rest_gives_them(alice: User, told: UUID) -> None:
    file, answer = await download(alice, told)
    header, events = lines(file)

    assert events == await in_thread(frames, told)
    assert header == {
        "format": "conversation-export",
        "version": 1,
        "conversation": {
            "id": str(told),
            "epoch": ANY,
            "head": len(events),
            "title": "Tea: *green* / <b>",
            "status": "open",
            "assistant": None,
            "metadata": {},
            "tags": [],
            "created_at": events[0]["at"],
            "updated_at": events[-1]["at"],
        },
    }
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Tea green b.jsonl"'
    assert (await download(alice, told))[0] == file


async def test_one_document(alice: User, told: UUID) -> None:
    file, answer = await download(alice, told, "json")
    header, events = lines((await download(alice, told))[0])

    assert json.loads(file) == {**header, "events": events}
    assert answer.headers["Content-Type"] == "application/json"


async def test_a_transcript_for_people(alice: User, told: UUID) -> None:
    file, answer = await download(alice, told, "md")
    tokens_ = MarkdownIt("commonmark").parse(file.decode())

    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert [tokens_[n + 1].content for n, t in enumerate(tokens_) if t.type == "heading_open"] == [
        r"Tea: \*green\* / \<b\>"
    ]
    # Whatever a text opens ends with it: there is a quote for each, and all authors stand outside.
    assert len([t for t in tokens_ if t.type == "blockquote_open"]) == len(TEXTS) + 2
    outside = [t.content for t in tokens_ if t.type == "inline" and t.level == 1]
    assert [line.split(" · ")[0] for line in outside if line.startswith("**")] == [
        "**Alice**", "**Bob**", "**Alice**", "**Bob**", "**Alice**", "**Bob**", "**guide**",
    ]  # fmt: skip
    assert "failed" in outside[-1]


async def test_long_ones_come_in_pages(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 3)
    await in_thread(say, alice, conversation, *map(str, range(10)))

    for form in ("jsonl", "json", "md"):
        row = await in_thread(Conversation.objects.get, id=conversation)
        pieces = await in_thread(list, exporting.FORMS[form].write(row))
        assert len(pieces) >= 5
    assert len(lines((await download(alice, conversation))[0])[1]) == 12


async def test_what_comes_meanwhile_is_not_in_it(alice: User, conversation: UUID) -> None:
    row = await in_thread(Conversation.objects.get, id=conversation)
    pieces = exporting.FORMS["jsonl"].write(row)
    first = await in_thread(next, pieces)
    await in_thread(say, alice, conversation, "Later")

    header, events = lines(first + b"".join(await in_thread(list, pieces)))
    assert header["conversation"]["head"] == len(events) == 2


async def test_whoever_is_removed_meanwhile_gets_no_more(
    alice: User, bob: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 1)
    answer = await ask(bob, f"conversations/{conversation}/export/")
    pieces = aiter(answer.streaming_content)
    assert await anext(pieces)
    await in_thread(lambda: members.remove(actor=alice, conversation=conversation, user=bob.id).result(30))

    with pytest.raises(Problem):
        await anext(pieces)


def test_exports_are_audited(as_bob: Api, bob: User, conversation: UUID) -> None:
    as_bob.get(f"conversations/{conversation}/export/?format=md")

    entry = AuditEntry.objects.get(actor=bob, action="conversation.exported")
    assert (entry.target_id, entry.detail) == (str(conversation), {"format": "md"})


def test_unknown_forms_and_conversations(as_alice: Api, as_mallory: Api, conversation: UUID) -> None:
    assert as_alice.get(f"conversations/{conversation}/export/?format=pdf").code == "invalid"
    assert as_mallory.get(f"conversations/{conversation}/export/").code == "not_found"
    assert as_alice.get(f"conversations/{conversation}/export/", Accept="text/html").status == 200


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plan", "Plan.md"),
        (None, "conversation.md"),
        (" .. ", "conversation.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ("a\r\nSet-Cookie: x", "a Set-Cookie x.md"),
        ("con", "conversation con.md"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.md"),
        ("x" * 300, "x" * 80 + ".md"),
        ("日本語", "日本語.md"),
    ],
)
def test_file_names_are_safe(title: str | None, name: str) -> None:
    assert filenames.safe(title, "md") == name


def test_file_names_beyond_ascii_are_sent_by_the_standard() -> None:
    assert filenames.attachment("Té", "md") == "attachment; filename*=utf-8''T%C3%A9.md"
    assert filenames.attachment('a"b\\c', "md") == 'attachment; filename="a b c.md"'


@pytest.mark.parametrize(
    "text", ["", "a", "# x", "```", "~~~\n```", "<!--", "- [ ] x\n\n    code", "\u2028", "> y", "\n\n"]
)
def test_a_quoted_text_ends_with_its_quote(text: str) -> None:
    after = MarkdownIt("commonmark").parse(transcript.quoted(text) + "\n\n# After\n")
    assert [token.tag for token in after if token.level == 0 and token.nesting == 1] == ["blockquote", "h1"]
