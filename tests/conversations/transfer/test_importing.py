"""An export comes back as it was, but for its ids."""

import json
import os
import signal
import subprocess
import sys
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from chatproject.lib.crypto import is_sealed
from chatproject.lib.ids import new_id
from conversations import selectors
from conversations.models import Conversation, Event, Member, Message, Run
from conversations.services import conversations, integrity, messages, runs
from tests.conversations.support import check_numbers, frames, replayed, texts
from tests.conversations.timetravel import stories
from tests.conversations.transfer.files import database_url, lines
from tests.conversations.transfer.importing import (
    UUID_TEXT,
    all_imported,
    anonymous,
    document,
    exported,
    imported,
    without_marks,
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=stories.SEEDS, form=st.sampled_from(["jsonl", "json"]))
def test_an_export_comes_back_as_it_was(alice: User, bob: User, mallory: User, seed: int, form: str) -> None:
    story = stories.told({"alice": alice, "bob": bob, "mallory": mallory}, seed)
    first = exported(story.id)
    copy = imported(mallory, exported(story.id, form))
    second = exported(copy)

    (head, before), (head_of_copy, after) = lines(first), lines(second)
    more = after[len(before) :]
    if not more:
        assert anonymous([head, *before]) == anonymous([head_of_copy, *without_marks(after)])
    assert anonymous(without_marks(after[: len(before)])) == anonymous(before)
    assert all(event["actor"]["imported"] for event in after[: len(before)])
    assert {event["type"] for event in more} <= {"run:end"}
    assert not Run.objects.filter(conversation=copy, ended_at=None).exists()
    assert integrity.verify(conversation=copy).findings == []
    replayed(copy)

    header, events = lines(exported(imported(mallory, second)))
    assert anonymous([header, *without_marks(events)]) == anonymous([head_of_copy, *without_marks(after)])
    originals, copies = set(UUID_TEXT.findall(first.decode())), set(UUID_TEXT.findall(second.decode()))
    assert originals & copies <= {str(mallory.id), *UUID_TEXT.findall(str([e.get("cmid") for e in before]))}


ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(ANY_TEXT.filter(str.strip), max_size=4), form=st.sampled_from(["jsonl", "json"]))
def test_every_text_comes_back(alice: User, conversation: UUID, said: list[str], form: str) -> None:
    """Line separators, marks of direction, emoji, what looks like escapes: whatever can be said."""
    for text in said:
        messages.send(user=alice, conversation=conversation, text=text, cmid=str(new_id())).result(30)
    assert texts(imported(alice, exported(conversation, form))) == texts(conversation)


def test_it_belongs_to_who_imported_it_and_to_nobody_else(alice: User, bob: User, conversation: UUID) -> None:
    messages.send(user=bob, conversation=conversation, text="From Bob", cmid="1").result(30)
    copy = imported(alice, exported(conversation))

    assert list(Member.objects.filter(conversation=copy).values_list("user_id", "role")) == [(alice.id, "owner")]
    assert Conversation.objects.get(id=copy).owner_id == alice.id
    row: Any = selectors.shown_conversation(alice, copy)
    assert row.unread == 0
    entry = AuditEntry.objects.get(action="conversation.imported", target_id=str(copy))
    assert (entry.actor_id, entry.detail) == (alice.id, {"format": "jsonl"})


def test_other_authors_are_labels(alice: User, bob: User, conversation: UUID) -> None:
    messages.send(user=bob, conversation=conversation, text="From Bob", cmid="1").result(30)
    messages.send(user=alice, conversation=conversation, text="From Alice", cmid="1").result(30)
    first, second = selectors.messages(
        imported(alice, exported(conversation)), before_seq=None, after_seq=None, limit=9
    )

    assert first["author"] == {"id": first["author"]["id"], "name": "Bob", "imported": True}
    assert not User.objects.filter(id=first["author"]["id"]).exists()
    assert second["author"] == {"id": str(alice.id), "name": "Alice", "imported": True}


def test_it_goes_on_from_there(alice: User, conversation: UUID) -> None:
    """Also with a cmid that the file has: that of a label binds nobody."""
    messages.send(user=alice, conversation=conversation, text="Before", cmid="1").result(30)
    copy = imported(alice, exported(conversation))
    sent = messages.send(user=alice, conversation=copy, text="After", cmid="1").result(30)

    assert (sent.main["seq"], sent.dup) == (check_numbers(copy), False)
    assert messages.send(user=alice, conversation=copy, text="After", cmid="1").result(30).dup
    assert texts(copy) == ["Before", "After"]
    assert sent.main["actor"] == {"kind": "user", "id": str(alice.id), "name": "Alice"}
    replayed(copy)


def test_what_had_not_ended_is_interrupted(alice: User) -> None:
    made = conversations.create(user=alice, assistant="guide", message="One").result(30).conversation.id
    messages.send(user=alice, conversation=made, text="Two", cmid="2").result(30)
    claim = runs.claim(conversation=made, worker="test")
    assert claim
    file = exported(made)
    copy = imported(alice, file)

    ends = frames(copy)[len(lines(file)[1]) :]
    assert [end["data"]["status"] for end in ends] == ["interrupted", "interrupted"]
    assert [bool(end["data"]["message"]) for end in ends] == [True, False]
    assert ends[0]["actor"] == {"kind": "system", "id": "system", "name": "system"}
    assert Message.objects.get(conversation=copy, role="assistant").status == "interrupted"
    replayed(copy)
    runs.end(claim=claim, status="completed", text="Late").result(30)
    assert texts(copy) == ["One", "Two"]


def test_texts_that_look_like_ids_or_envelopes_stay_what_they_are(alice: User) -> None:
    id_ = "01a1fb92-2a03-752e-843c-26acb376d6d5"
    sealed = {"$sealed": "abcd.AAAA"}
    made = conversations.create(
        user=alice, title=id_, message={"text": id_, "cmid": id_}, metadata={"id": id_, "x": sealed}
    ).result(30)
    head, events = lines(exported(made.conversation.id))
    events[0]["data"]["title"] = sealed["$sealed"]
    events[1]["data"]["sources"] = sealed
    copy = imported(alice, document(head, *events))

    new, said = frames(copy)
    assert new["data"] == {"title": "abcd.AAAA", "assistant": None, "metadata": {"id": id_, "x": sealed}}
    assert (said["data"]["text"], said["cmid"], said["data"]["sources"]) == (id_, id_, sealed)
    assert all(is_sealed(event.data["text"]) for event in Event.objects.filter(conversation=copy, type="message:new"))
    assert said["id"] != events[1]["id"] == str(said["id"]).replace(said["id"], events[1]["id"])
    replayed(copy)


def test_ends_of_lines_and_marks_of_order(alice: User, conversation: UUID) -> None:
    file = exported(conversation)
    variants = [file.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + file, file.rstrip(), file + b"\n\n", b"\n" + file]
    for variant in variants[:4]:
        assert anonymous(without_marks(frames(imported(alice, variant)))) == anonymous(lines(file)[1])
    pretty = json.dumps(json.loads(exported(conversation, "json")), indent=2, sort_keys=True).encode()
    for variant in (pretty, b"\xef\xbb\xbf" + pretty, json.dumps(json.loads(pretty), ensure_ascii=True).encode()):
        assert anonymous(without_marks(frames(imported(alice, variant)))) == anonymous(lines(file)[1])


def test_the_same_file_twice_is_two_conversations(alice: User, conversation: UUID) -> None:
    one, two = imported(alice, exported(conversation)), imported(alice, exported(conversation))

    assert one != two
    assert not {e["id"] for e in frames(one)} & {e["id"] for e in frames(two)}
    assert Conversation.objects.get(id=one).epoch != Conversation.objects.get(id=two).epoch
    assert all_imported(alice, exported(one))


def test_many_events_are_written_in_batches(alice: User, conversation: UUID) -> None:
    head, events = lines(exported(conversation))
    last = events[-1]
    said = [
        {
            **last,
            "type": "message:new",
            "seq": seq,
            "id": f"01a1fb92-2a03-752e-843c-{seq:012x}",
            "data": {"message": f"01a1fb92-2a03-752e-843c-{seq:012x}", "text": f"Text {seq}"},
        }
        for seq in range(3, 1203)
    ]
    file = document(head, *events, *said)
    copy = imported(alice, file)

    assert check_numbers(copy) == 1202
    assert texts(copy)[-1] == "Text 1202"
    assert_a_kill_leaves_nothing(alice, file)


def assert_a_kill_leaves_nothing(user: User, file: bytes) -> None:
    """The process dies as by `kill -9` when two batches of events are written."""
    before = Conversation.objects.filter(owner=user).count(), Event.objects.filter(imported_by=user.id).count()
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(user.id)],
        input=file,
        env={**os.environ, "CRASH_AT": "imported_batch", "DJANGO_SETTINGS_MODULE": "chatproject.settings",
             "DATABASE_URL": database_url()},
        timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    after = Conversation.objects.filter(owner=user).count(), Event.objects.filter(imported_by=user.id).count()
    assert after == before


# Reaches its failpoint for the second time before it counts.
IMPORT = """
import io, itertools, sys
from chatproject.lib import failpoints
counted, hit = itertools.count(), failpoints.hit
failpoints.hit = lambda name: name == "imported_batch" and next(counted) and hit(name)
import django
django.setup()
from accounts.models import User
from conversations.services import importing
importing.import_file(user=User.objects.get(id=sys.argv[1]), file=io.BytesIO(sys.stdin.buffer.read()))
"""
