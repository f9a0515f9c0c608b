"""Random stories in which everything happens that events tell of, also going back in time."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from accounts.models import User
from conversations.models import Conversation
from conversations.services import restoring
from tests.conversations import test_projections

# A seed makes a story. Lists of steps that hypothesis draws are short and mostly refused; these go deep.
SEEDS = st.integers(0, 2**32 - 1)
LENGTH = 40
# A number that the privacy screen marks.
CARD = "4111 1111 1111 1111"
# What happens, and how often.
VERBS = {
    "send": 6, "take": 6, "end": 5, "piece": 1, "step": 1, "stop": 1, "interrupt": 1, "update": 1, "add": 1,
    "remove": 1, "edit": 5, "delete": 3, "pin": 2, "regenerate": 6, "select": 4, "feedback": 3, "restore": 5,
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
        "edit": ("alice", which, chance.choice(["Edited", f"Card {CARD}"])),
        "pin": ("alice", which, flag),
        "feedback": (chance.choice(["alice", "bob"]), which, {"rating": chance.choice(["up", None]), "solved": flag}),
        "restore": (chance.randrange(30),),
    }
    return given.get(verb, ("alice", which) if verb in ("delete", "regenerate", "select") else ())


class Story(test_projections.Story):
    """Does one verb after the other, sometimes going back."""

    def restore(self, back: int) -> Any:
        head = Conversation.objects.get(id=self.id).last_seq
        return restoring.restore(user=self.cast["alice"], conversation=self.id, to_seq=max(1, head - back))


def told(cast: dict[str, User], seed: int) -> Story:
    """A story of LENGTH steps, some of which are refused."""
    story = Story(cast)
    for verb, *given in steps(seed):
        story.tell(verb, *given)
    return story
