"""What a turn that waited for a person had done before: its method runs again from the beginning, and what stands
in the log already is neither written nor done once more."""

from dataclasses import dataclass, field
from typing import Any

from conversations import asking, keys, wire
from conversations.models import Run
from conversations.services import madefiles
from conversations.services.endings import stored_text
from conversations.services.runs import Claim

Json = dict[str, Any]


@dataclass
class Replay:
    """`text` is what is stored of the answer, `emitted` how many code points the assistant gave for it; `steps` and
    `asked` stand in the order in which they began; `usage` is what they took."""

    text: str = ""
    emitted: int = 0
    steps: list[Json] = field(default_factory=list)
    asked: list[Json] = field(default_factory=list)
    parts: list[Json] = field(default_factory=list)
    usage: Json | None = None

    def next_step(self, kind: str, name: str) -> Json | None:
        """The step that is at hand, where it is this one."""
        return self.steps.pop(0) if self.peek(kind, name) else None

    def peek(self, kind: str, name: str) -> Json | None:
        """The same, which stays at hand."""
        at_hand = self.steps[0] if self.steps else None
        return at_hand if at_hand and (at_hand["kind"], at_hand["name"]) == (kind, name) else None

    def next_answer(self, kind: str) -> Json | None:
        """The question that is at hand, with its `value`, where it was answered."""
        if self.asked and self.asked[0]["kind"] == kind and "value" in self.asked[0]:
            return self.asked.pop(0)
        return None


def of(claim: Claim) -> Replay:
    """What the run of `claim` has done; nothing for one that begins."""
    if not claim.resumed:
        return Replay()
    run = Run.objects.get(id=claim.run)
    steps = sorted((wire.step(run, stored) for stored in run.steps), key=lambda step: str(step["step"]))
    asked = [step for step in steps if asking.is_ask(step)]
    return Replay(
        text=stored_text(run, keys.of(claim.conversation)),
        emitted=asked[-1].get("emitted", 0) if asked else 0,
        steps=[step for step in steps if not asking.is_ask(step)],
        asked=asked,
        parts=madefiles.parts_of(claim.run, claim.conversation),
        usage=run.usage,
    )
