"""Making events of what other products export: a log is told turn by turn, and checked like any other file."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from django.conf import settings

from chatproject.lib import clock
from conversations.transfer.lines import Author, Line, checked
from conversations.transfer.story import BEGINNING

# Any namespace would do: these ids are replaced by ours.
NAMESPACE = UUID("5b8a2e0e-7c57-4f9b-9d6e-0f5d3c1a2b4c")
# What stands for what was cut off.
CUT = " […]"


def plain(value: Any) -> str:
    """`value` as text that can be stored: NUL is left out, lone surrogates are replaced."""
    text = value if isinstance(value, str) else ""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - len(CUT)] + CUT


def moment(value: Any) -> datetime | None:
    """The time of seconds since 1970, or of RFC 3339 (UTC where no offset is given); None for nothing that fits."""
    try:
        if isinstance(value, int | float) and math.isfinite(value):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


@dataclass
class Log:
    """The events of one conversation, as they come. `name` makes the ids that are its own."""

    name: str
    at: datetime = BEGINNING
    lines: list[Line] = field(default_factory=list)

    def id(self, *names: object) -> str:
        """An id for what `names` say, always the same."""
        return str(uuid5(NAMESPACE, "\n".join([self.name, *map(str, names)])))

    def add(self, type_: str, actor: Author, at: datetime | None, data: dict[str, Any]) -> None:
        """Times never go back, and none is in the future."""
        latest = clock.now()
        self.at = max(self.at, min(at or self.at, latest))
        self.at = clock.to_millis(self.at)
        seq = len(self.lines) + 1
        self.lines.append(checked(Line(type_, seq, self.id("event", seq), actor, self.at, data, self.id())))

    def begin(self, actor: Author, at: datetime | None, title: Any, metadata: dict[str, Any]) -> None:
        named = cut(" ".join(plain(title).split()), settings.TITLE_MAX_LENGTH) or None
        self.add("conversation:new", actor, at, {"title": named, "assistant": None, "metadata": metadata})

    def say(self, actor: Author, at: datetime | None, text: str, **more: Any) -> None:
        """A `message:new`; `more` has its id, and its run where an answer follows."""
        text = cut(plain(text), settings.MESSAGE_MAX_LENGTH)
        self.add("message:new", actor, at, {"text": text, "action": "chat", **more})

    def answer(self, turn: "Turn") -> None:
        """The events of a run from its start to its end."""
        actor = Author("assistant", turn.assistant, turn.assistant)
        ids = {"run": turn.run, "message": turn.message}
        branch = {"branch_of": turn.branch_of} if turn.branch_of else {}
        start = {**ids, "assistant": turn.assistant, "reply_to": turn.reply_to, **branch}
        self.add("run:start", actor, turn.began, start)
        for step in turn.steps:
            self.add("run:step", actor, step.pop("at"), {"run": turn.run, "status": "completed", **step})
        end = {"status": turn.status, "text": cut(plain(turn.text), settings.ANSWER_MAX_LENGTH), "usage": None}
        self.add("run:end", actor, turn.ended, {**ids, **end})


@dataclass
class Turn:
    """One answer. `steps` are `{at, step, kind, name, input?, output?}`."""

    run: str
    message: str
    reply_to: str
    assistant: str
    began: datetime | None
    ended: datetime | None = None
    text: str = ""
    status: str = "completed"
    branch_of: str | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)


def step(id_: str, at: datetime | None, kind: str, name: Any, **texts: Any) -> dict[str, Any]:
    """A step; `texts` (input, output) are cut like those of our own assistants."""
    bounded = {field: cut(plain(text), settings.STEP_MAX_BYTES // 4) for field, text in texts.items() if plain(text)}
    return {"step": id_, "at": at, "kind": kind, "name": cut(plain(name), 64) or kind, **bounded}


def author(name: Any) -> str:
    """A name that fits for an assistant."""
    return cut("".join(c for c in plain(name) if c.isprintable()).strip(), 64) or "assistant"
