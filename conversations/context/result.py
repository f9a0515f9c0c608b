"""A context that was made: what is sent, and what is not."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from conversations.context.base import Digest
from conversations.context.terms import Terms

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A tool call; `arguments` is text, JSON as a rule."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Line:
    """One message as the model is told it.

    `role` is user, assistant, agent, system or tool. A tool call is an assistant's line without text; the line
    behind it, of role tool, is its result and carries the same `call`. `kept` is how many code points of a longer
    text are left. `origin` says where the text can be read again: `{event}` a seq of the log, or `{run, step}`.
    """

    role: str
    text: str
    tokens: int
    seq: int | None = None
    call: Call | None = None
    kept: int | None = None
    origin: Json = field(default_factory=dict)

    def public(self) -> Json:
        shown: Json = {"role": self.role, "text": self.text, "tokens": self.tokens}
        if self.seq is not None:
            shown["seq"] = self.seq
        if self.kept is not None:
            shown["cut"] = True
        if self.call and self.role == "tool":
            shown["call"] = {"id": self.call.id}
        elif self.call:
            shown["call"] = {"id": self.call.id, "name": self.call.name, "arguments": self.call.arguments}
        return shown


@dataclass
class Context:
    """`left_out` are the newest of those that are not sent, seq -> reason; what is older than the seq
    `left_out_before` is not sent either, and not listed. `pictures` are the files that are sent as such, with the
    message that is answered; `tokens` counts them too."""

    terms: Terms
    lines: list[Line]
    tokens: int
    left_out: dict[int, str] = field(default_factory=dict)
    left_out_before: int | None = None
    summarised: list[Digest] = field(default_factory=list)
    pictures: list[UUID] = field(default_factory=list)

    def public(self) -> Json:
        """The shape `context` of PROTOCOL.md section 3."""
        return {
            **self.outline(),
            "messages": [line.public() for line in self.lines],
        }

    def outline(self) -> Json:
        """Everything but the messages; no texts."""
        return {
            "model": self.terms.model,
            "strategy": self.terms.strategy,
            "max_tokens": self.terms.max_tokens,
            "max_messages": self.terms.max_messages,
            "tokens": self.tokens,
            "left_out": [{"seq": seq, "reason": reason} for seq, reason in sorted(self.left_out.items())],
            "left_out_before": self.left_out_before,
            "summarised": [
                {"from_seq": one.from_seq, "to_seq": one.to_seq, "tokens": one.tokens} for one in self.summarised
            ],
            "pictures": [{"file": str(id_), "tokens": self.terms.picture_tokens} for id_ in self.pictures],
        }
