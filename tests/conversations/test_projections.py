"""The log is the truth: everything else comes out the same when it is made anew."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.crypto import CryptoError
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import event_types, projections, selectors, wire
from conversations.assistants import chunks
from conversations.integrity import repairing
from conversations.models import Conversation, Event, Feedback, Message, Run
from conversations.services import branches, conversations, feedback, members, messages, reading, revisions, runs
from tests.conversations.support import frames, projected, replayed

WHO = st.sampled_from(["alice", "bob", "mallory"])
TEXT = st.sampled_from(["Hello", "日本語 👋🏽", "a" * 3000, "<b>bold</b>"])
WHICH = st.integers(0, 5)
STEPS = st.one_of(
    st.tuples(st.just("send"), WHO, TEXT, st.sampled_from([None, "guide"]), st.sampled_from(["1", "2", "3", None])),
    st.tuples(
        st.just("update"),
        WHO,
        st.fixed_dictionaries(
            {},
            optional={
                "title": st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=9),
                "tags": st.lists(st.sampled_from(["x", "y"]), max_size=3),
                "status": st.sampled_from(["open", "closed", "archived"]),
                "assistant": st.sampled_from([None, "guide"]),
                "metadata": st.dictionaries(st.text("ab", max_size=2), st.integers(-9, 9) | st.none(), max_size=2),
            },
        ),
    ),
    st.tuples(st.just("archive"), WHO),
    st.tuples(st.just("add"), WHO, WHO, st.sampled_from(["editor", "agent", "viewer"])),
    st.tuples(st.just("change"), WHO, WHO, st.sampled_from(["editor", "agent", "viewer"])),
    st.tuples(st.just("remove"), WHO, WHO),
    st.tuples(st.just("read"), WHO, st.integers(0, 20)),
    st.tuples(st.just("claim")),
    st.tuples(st.just("step"), st.sampled_from(["s1", "s2"]), st.sampled_from(["running", "completed"])),
    st.tuples(st.just("piece"), TEXT),
    st.tuples(st.just("end"), st.sampled_from(["completed", "failed", "stopped"])),
    st.tuples(st.just("stop"), WHO),
    st.tuples(st.just("interrupt")),
    st.tuples(st.just("edit"), WHO, WHICH, TEXT),
    st.tuples(st.just("delete"), WHO, WHICH),
    st.tuples(st.just("pin"), WHO, WHICH, st.booleans()),
    st.tuples(st.just("select"), WHO, WHICH),
    st.tuples(st.just("regenerate"), WHO, WHICH),
    st.tuples(
        st.just("feedback"),
        WHO,
        WHICH,
        st.fixed_dictionaries(
            {},
            optional={
                "rating": st.sampled_from(["up", "down", None]),
                "solved": st.booleans(),
                "copied": st.booleans(),
                "comment": st.sampled_from(["Thanks", None]),
            },
        ),
    ),
)


class Story:
    """Does one verb after the other to one conversation, and keeps the frames of what was acknowledged."""

    def __init__(self, cast: dict[str, User]) -> None:
        self.cast = cast
        made = conversations.create(user=cast["alice"], members=[{"user": str(cast["bob"].id)}], title="Story")
        self.said = list(made.result(30).frames)
        self.id = made.result().conversation.id
        self.claim: runs.Claim | None = None

    def tell(self, verb: str, *given: Any) -> None:
        try:
            done = getattr(self, verb)(*given)
        except Problem:
            return
        if done and not done.exception(30) and hasattr(done.result(), "dup") and not done.result().dup:
            self.said += done.result().frames

    def send(self, who: str, text: str, assistant: str | None, cmid: str | None) -> Any:
        return messages.send(
            user=self.cast[who], conversation=self.id, text=text, assistant=assistant, cmid=cmid or str(new_id())
        )

    def update(self, who: str, changes: dict[str, Any]) -> Any:
        return conversations.update(user=self.cast[who], conversation=self.id, changes=changes)

    def archive(self, who: str) -> Any:
        return conversations.archive(user=self.cast[who], conversation=self.id)

    def add(self, who: str, whom: str, role: str) -> Any:
        return members.add(actor=self.cast[who], conversation=self.id, user=self.cast[whom].username, role=role)

    def change(self, who: str, whom: str, role: str) -> Any:
        return members.change(actor=self.cast[who], conversation=self.id, user=self.cast[whom].id, role=role)

    def remove(self, who: str, whom: str) -> Any:
        return members.remove(actor=self.cast[who], conversation=self.id, user=self.cast[whom].id)

    def read(self, who: str, seq: int) -> None:
        reading.mark_read(user=self.cast[who], conversation=self.id, seq=seq)

    def take(self) -> None:
        claim = runs.claim(conversation=self.id, worker="story")
        if claim:
            self.claim = claim
            self.said.append(frames(self.id)[-1])

    def step(self, step: str, status: str) -> Any:
        data = {"step": step, "kind": "tool", "name": "look", "status": status, "input": {"q": "?"}}
        return self.claim and runs.step(claim=self.claim, data=data)

    def piece(self, text: str) -> Any:
        if self.claim is None:
            return None
        stored = Run.objects.get(id=self.claim.run).stored
        return chunks.store(chunks.Piece(self.claim, text, stored))

    def end(self, status: str) -> Any:
        error = {"code": "x", "message": "y"} if status == "failed" else None
        return self.claim and runs.end(claim=self.claim, status=status, text="All", usage={"n": 1}, error=error)

    def stop(self, who: str) -> Any:
        run = Run.objects.filter(conversation=self.id).order_by("-queued_seq").first()
        return run and runs.stop(user=self.cast[who], run=run)

    def which(self, number: int) -> dict[str, Any]:
        ids = Message.objects.filter(conversation=self.id).order_by("seq").values_list("id", flat=True)
        return {"conversation": self.id, "message": ids[number % len(ids)] if ids else new_id()}

    def edit(self, who: str, number: int, text: str) -> Any:
        return revisions.edit(user=self.cast[who], text=text, **self.which(number))

    def delete(self, who: str, number: int) -> Any:
        return revisions.delete(user=self.cast[who], **self.which(number))

    def pin(self, who: str, number: int, on: bool) -> Any:
        return revisions.pin(user=self.cast[who], on=on, **self.which(number))

    def select(self, who: str, number: int) -> Any:
        return branches.select(user=self.cast[who], **self.which(number))

    def regenerate(self, who: str, number: int) -> Any:
        return branches.regenerate(user=self.cast[who], assistant="guide", **self.which(number))

    def feedback(self, who: str, number: int, changes: dict[str, Any]) -> Any:
        return feedback.give(user=self.cast[who], changes=changes, **self.which(number))

    def interrupt(self) -> Any:
        run = Run.objects.filter(conversation=self.id, status="running").first()
        return run and runs.interrupt(run=run, is_dead=lambda run: True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=25))
def test_any_story_can_be_told_again(alice: User, bob: User, mallory: User, steps: list[tuple[Any, ...]]) -> None:
    story = Story({"alice": alice, "bob": bob, "mallory": mallory})
    for verb, *given_ in steps:
        story.tell("take" if verb == "claim" else verb, *given_)

    assert story.said == frames(story.id)
    check_marks(story.id)
    replayed(story.id)
    shown = selectors.snapshot(story.id)
    repairing.rebuild(story.id)
    assert selectors.snapshot(story.id) == shown


def check_marks(conversation: UUID) -> None:
    """Counters count what is there, and of alternative answers exactly one is chosen."""
    row = Conversation.objects.get(id=conversation)
    given = list(Feedback.objects.filter(conversation=conversation))
    assert (row.up, row.down) == (sum(one.rating == "up" for one in given), sum(one.rating == "down" for one in given))
    assert (row.solved, row.copied) == (sum(one.solved for one in given), sum(one.copied for one in given))
    groups: dict[UUID, int] = {}
    for message in Message.objects.filter(conversation=conversation):
        groups[message.group] = groups.get(message.group, 0) + message.selected
    assert set(groups.values()) <= {1}


def test_a_lost_projection_comes_back(alice: User, conversation: UUID) -> None:
    messages.send(user=alice, conversation=conversation, text="Hello", cmid="1").result(30)
    before = projected(conversation)
    Message.objects.filter(conversation=conversation).delete()
    Conversation.objects.filter(id=conversation).update(title=None, tags=["wrong"], status="closed", version=99)

    repairing.rebuild(conversation)

    assert projected(conversation) == before


# --- Secrets ----------------------------------------------------------------------------------------------

MARKER = "xylophonquark"


def tables() -> list[str]:
    return connection.introspection.table_names()


def test_no_table_holds_what_was_said(alice: User, bob: User) -> None:
    made = conversations.create(
        user=alice,
        title=f"Title {MARKER}",
        assistant="guide",
        message=f"Ask {MARKER}",
        members=[{"user": bob.username}],
    )
    id_ = made.result(30).conversation.id
    claim = runs.claim(conversation=id_, worker="test")
    assert claim
    step = {"step": "s", "kind": "tool", "name": "n", "status": "completed"}
    secret = {"input": {"q": MARKER}, "output": [MARKER], "sources": [{"title": MARKER}]}
    runs.step(claim=claim, data={**step, **secret}).result(30)
    chunks.store(chunks.Piece(claim, f"Answer {MARKER}", 0)).result(30)
    conversations.update(user=alice, conversation=id_, changes={"title": f"New {MARKER}"}).result(30)
    asked = Message.objects.get(conversation=id_, role="user").id
    revisions.edit(user=alice, conversation=id_, message=asked, text=f"Edited {MARKER}").result(30)
    comment = {"comment": f"Comment {MARKER}"}
    feedback.give(user=alice, conversation=id_, message=asked, changes=comment).result(30)
    feedback.give(user=alice, conversation=id_, message=asked, changes={"rating": "up"}).result(30)
    assert_nowhere()
    error = {"code": "x", "message": MARKER}
    runs.end(claim=claim, status="failed", text=f"Answer {MARKER}", error=error, sources=[{"t": MARKER}]).result(30)
    assert_nowhere()

    assert str(frames(id_)).count(MARKER) == 12
    replayed(id_)


def assert_nowhere() -> None:
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{MARKER}%"])
            assert cursor.fetchone() == (0,), f"{table} holds plaintext"


def test_an_envelope_opens_only_where_it_was_put(alice: User, conversation: UUID) -> None:
    for n in range(2):
        messages.send(user=alice, conversation=conversation, text=f"Secret {n}", cmid=f"{n}").result(30)
    elsewhere = conversations.create(user=alice, message="Other").result(30).conversation.id
    one, two = Event.objects.filter(conversation=conversation, type="message:new").order_by("seq")
    other = Event.objects.get(conversation=elsewhere, type="message:new")

    def moved(source: Event, target: Event) -> Any:
        return wire.stored_event(Event(**{**_fields(target), "data": source.data}))

    assert moved(one, one)["data"]["text"] == "Secret 0"
    for source, target in ((one, two), (two, one), (one, other), (other, one)):
        with pytest.raises(CryptoError):
            moved(source, target)
    with pytest.raises(CryptoError):
        wire.stored_event(Event(**{**_fields(one), "type": "conversation:update", "data": {"title": one.data["text"]}}))


def test_what_looks_like_an_envelope_is_data_where_clients_may_put_it(alice: User) -> None:
    metadata = {"$sealed": "abcd.AAAA"}
    made = conversations.create(user=alice, metadata=metadata).result(30)

    assert frames(made.conversation.id) == [made.main]
    assert made.main["data"]["metadata"] == metadata
    replayed(made.conversation.id)


def _fields(event: Event) -> dict[str, Any]:
    return {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields}


def test_every_type_has_a_projection() -> None:
    assert set(projections.HANDLERS) == set(event_types.EVENT_TYPES)
