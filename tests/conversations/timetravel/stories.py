"""Random stories in which everything happens that events tell of, also going back in time."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations import eventlog
from conversations.actors import Actor
from conversations.appends import Append, Decision, Draft
from conversations.models import Conversation, Message
from conversations.services import restoring
from tests.conversations import test_projections

# A seed makes a story. Lists of steps that hypothesis draws are short and mostly refused; these go deep.
SEEDS = st.integers(0, 2**32 - 1)
LENGTH = 40
# What happens, and how often.
VERBS = {
    "send": 6, "take": 6, "end": 5, "piece": 1, "step": 1, "stop": 1, "interrupt": 1, "update": 1, "add": 1,
    "remove": 1, "edit": 5, "delete": 3, "pin": 2, "again": 5, "select": 3, "rate": 3, "restore": 5,
}  # fmt: skip


def steps(seed: int) -> Iterator[tuple[Any, ...]]:
    """The steps of a story."""
    chance = Random(seed)
    for verb in chance.choices(list(VERBS), list(VERBS.values()), k=LENGTH):
        yield verb, *_given(verb, chance)


def _given(verb: str, chance: Random) -> Sequence[Any]:
    which, flag = chance.randrange(8), chance.random() < 0.5
    given: dict[str, Sequence[Any]] = {
        "send": ("alice", f"Said {which}", chance.choice(["guide", "guide", None]), None),
        "end": (chance.choice(["completed", "failed"]),),
        "piece": ("Piece ",),
        "step": (f"s{which}", "running"),
        "stop": ("alice",),
        "update": ("alice", {"tags": [f"t{which}"], "title": chance.choice([None, "Title"])}),
        "add": ("alice", "mallory", "viewer"),
        "remove": ("alice", "mallory"),
        "edit": (which, chance.random() < 0.3),
        "pin": (which, flag),
        "rate": (chance.choice(["alice", "bob"]), which, chance.choice(["up", "down", None]), flag, not flag),
        "restore": (chance.randrange(30),),
    }
    return given.get(verb, (which,) if verb in ("delete", "again", "select") else ())


class Story(test_projections.Story):
    """Does one verb after the other; messages are named by their place, counted from the newest."""

    def message(self, which: int) -> Message | None:
        rows = Message.objects.filter(conversation=self.id).order_by("-seq")
        return rows[which % max(1, rows.count())] if rows else None

    def write(self, who: str, kind: str, **data: Any) -> Any:
        draft = Draft(kind, data)
        append = Append(self.id, Actor.of(self.cast[who]), f"test:{draft.id}", lambda state: Decision([draft]))
        append.drafts = [draft]
        return eventlog.submit(append)

    def edit(self, which: int, sensitive: bool) -> Any:
        row = self.message(which)
        if row is None or row.status == "streaming":
            return None
        text = f"Edited {new_id()}"
        return self.write("alice", "message:edit", message=str(row.id), text=text, base_seq=1, sensitive=sensitive)

    def delete(self, which: int) -> Any:
        row = self.message(which)
        return row and self.write("alice", "message:delete", message=str(row.id))

    def pin(self, which: int, on: bool) -> Any:
        row = self.message(which)
        return row and self.write("alice", "message:pin", message=str(row.id), on=on)

    def select(self, which: int) -> Any:
        row = self.message(which)
        if row is None:
            return None
        return self.write("alice", "branch:select", message=str(row.id), branch_of=str(row.group))

    def again(self, which: int) -> Any:
        """Have an answer given once more."""
        row = self.message(which)
        if row is None or row.role != "assistant" or row.status == "streaming":
            return None
        seq = Message.objects.get(id=str(row.reply_to)).seq
        asked = {
            "reply_seq": seq,
            "run": str(new_id()),
            "reply_to": str(row.reply_to),
            "assistant": "guide",
            "branch_of": str(row.group),
        }
        return self.write("alice", "run:queue", **asked)

    def rate(self, who: str, which: int, rating: str | None, solved: bool, copied: bool) -> Any:
        row = self.message(which)
        marks = {"rating": rating, "solved": solved, "copied": copied, "comment": rating and "Because"}
        return row and self.write(who, "message:feedback", message=str(row.id), **marks)

    def restore(self, back: int) -> Any:
        head = Conversation.objects.get(id=self.id).last_seq
        return restoring.restore(user=self.cast["alice"], conversation=self.id, to_seq=max(1, head - back))


def told(cast: dict[str, User], seed: int) -> Story:
    """A story of LENGTH steps, some of which are refused."""
    story = Story(cast)
    for verb, *given in steps(seed):
        story.tell(verb, *given)
    return story
