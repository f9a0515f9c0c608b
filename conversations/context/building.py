"""Making a context: the frame in which every strategy works.

Whatever a strategy chooses, the system prompt and the message that is answered are there (cut, with a mark, where
they alone are larger than the budget), the budget is not exceeded, the order is that of the conversation, and
tool calls stay with their results.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from chatproject.lib import metrics
from chatproject.lib.database import one_moment
from chatproject.lib.errors import Problem
from conversations import past, selectors
from conversations.context import base, tokens, tools
from conversations.context.base import Budget, Choice, Digest, Entry, size
from conversations.context.digests import MARK
from conversations.context.past import StoredPast
from conversations.context.result import Context, Line
from conversations.context.terms import Terms
from conversations.models import Message
from conversations.services import contexts

# The conversation's own system messages that are sent in any case, the first ones.
SYSTEM_MESSAGES = 10
# Tokens that pictures leave to texts at least.
FOR_TEXTS = 512
# A system message is not cut to less.
LEAST = 8

Place = tuple[int, int]
Placed = list[tuple[Place, Line]]
FIRST: Place = (-1, 0)


class QuestionGone(Problem):
    """The message that is to be answered was deleted meanwhile."""

    def __init__(self) -> None:
        super().__init__("not_found", "The message was deleted before it was answered.")


def build(conversation: UUID, terms: Terms, asked: UUID | None = None) -> Context:
    """What an assistant is sent to answer the message `asked`; without it, what it would be sent now.

    What was counted and summarised on the way is stored. Membership was checked. Raises QuestionGone.
    """
    with metrics.context_seconds.labels(terms.strategy).time(), one_moment():
        frame = _Frame(conversation, terms, asked)
        made = frame.context()
        read = frame.past
        head = selectors.head(conversation)[1] if read.made else 0
    contexts.keep(
        conversation=conversation,
        encoding=read.encoding,
        counted=read.counted,
        made=read.made,
        head=head,
        incomplete=read.incomplete,
    )
    return made


class _Frame:
    """One context in the making."""

    def __init__(self, conversation: UUID, terms: Terms, asked: UUID | None) -> None:
        self.conversation = conversation
        self.terms = terms
        self.encoding = terms.encoding
        self.asked = selectors.asked(conversation, asked)
        if asked and self.asked is None:
            raise QuestionGone
        # Without an id, everything that was said is looked at, also behind the last question.
        self.until = self.asked.seq if asked and self.asked else None
        limit = min(SYSTEM_MESSAGES, terms.max_messages - 1)
        self.systems = selectors.system_messages(conversation, until=self.until, limit=limit) if limit else []
        self.pictures = self._pictures()
        self.max_tokens = terms.max_tokens - len(self.pictures) * terms.picture_tokens
        required = [*self.systems, *filter(None, [self.asked])]
        self.texts = selectors.told(required)
        self.past = StoredPast(conversation, self.encoding, self.until, frozenset(row.id for row in required))

    def context(self) -> Context:
        fixed = self._fixed()
        room = self.max_tokens - tokens.PRIMING - sum(line.tokens for _, line in fixed)
        count = self.terms.max_messages - len([line for _, line in fixed if line.seq])
        budget = Budget(max(room, 0), max(count, 0), self.terms.max_messages)
        choice = base.get(self.terms.strategy).choose(self.past, budget)
        entries, digests = fitting(choice, budget)
        told = within(self._told(entries), budget.tokens - size(digests))
        placed = sorted([*fixed, *told, *_summed(digests)], key=lambda one: one[0])
        lines = [line for _, line in placed]
        taken = tokens.PRIMING + sum(line.tokens for line in lines) + self.terms.max_tokens - self.max_tokens
        made = Context(self.terms, lines, taken, summarised=digests, pictures=self.pictures)
        self._explain(made, choice)
        return made

    def _pictures(self) -> list[UUID]:
        """Those of the message that is answered, as many as leave room for texts."""
        each = self.terms.picture_tokens
        if not each or self.asked is None:
            return []
        return selectors.pictures(self.asked)[: max(0, self.terms.max_tokens - FOR_TEXTS) // each]

    def _fixed(self) -> Placed:
        """System prompt, system messages and the last user message, in what room there is for them."""
        room = self.max_tokens - tokens.PRIMING
        heads = [(FIRST, self.terms.system, None)] if self.terms.system else []
        found: list[tuple[Place, str, Message | None]] = [*heads, *map(self._placed, self.systems)]
        wanted = sum(self._size(text, row) for _, text, row in found)
        placed: Placed = []
        if self.asked:
            place, text, row = self._placed(self.asked)
            line = self._line(text, row, max(room // 2, room - wanted))
            placed, room = [(place, line)], room - line.tokens
        for place, text, system in found:
            if room >= LEAST + tokens.PER_MESSAGE:
                line = self._line(text, system, room)
                placed.append((place, line))
                room -= line.tokens
        return placed

    def _placed(self, row: Message) -> tuple[Place, str, Message]:
        return (row.anchor, row.seq), voiced(self._voice(row), self.texts[row.id]), row

    def _voice(self, row: Message) -> str:
        """The name that stands in front: of a person who answered, and of another assistant where several speak with
        each other; empty where who is told said it, or does not mind."""
        other = row.role == Message.Role.ASSISTANT and self.terms.speaker not in ("", row.author_name)
        return row.author_name if other or row.role == Message.Role.AGENT else ""

    def _role(self, row: Message) -> str:
        """An agent answers as the assistant does; but who asks is a user, and so is whoever else speaks in a team."""
        if row.role == Message.Role.AGENT and not self._is_asked(row) and not self.terms.speaker:
            return row.role
        return Message.Role.USER.value if self._voice(row) else row.role

    def _is_asked(self, row: Message) -> bool:
        return self.asked is not None and row.id == self.asked.id

    def _size(self, text: str, row: Message | None) -> int:
        plain = row and not row.parts and not self._voice(row)
        known = row.tokens.get(self.encoding) if row and plain else None
        return (known if known is not None else tokens.count(text, self.encoding)) + tokens.PER_MESSAGE

    def _line(self, text: str, row: Message | None, room: int) -> Line:
        """A line of at most `room` tokens."""
        taken, kept = self._size(text, row), None
        if taken > room:
            text = tokens.cut(text, self.encoding, room - tokens.PER_MESSAGE, MARK)
            taken, kept = tokens.count(text, self.encoding) + tokens.PER_MESSAGE, max(0, len(text) - len(MARK))
        if row is None:
            return Line("system", text, taken, kept=kept)
        voice = self._voice(row)
        return Line(self._role(row), text, taken, row.seq, kept=kept, origin=_origin(row, voice))

    def _told(self, entries: Sequence[Entry]) -> Placed:
        """The chosen messages with their texts."""
        rows = selectors.texts(entry.id for entry in entries)
        texts = selectors.told(rows.values())
        placed: Placed = []
        for entry in entries:
            row = rows[entry.id]
            run = self.past.called.get(row.run) if row.run and row.role == "assistant" else None
            around = list(tools.lines(run, row, self.encoding)) if run else []
            own = entry.tokens - sum(line.tokens for line in around)
            voice = self._voice(row)
            own += tokens.count(voiced(voice, ""), self.encoding) if voice else 0
            said = Line(self._role(row), voiced(voice, texts[row.id]), own, row.seq, origin=_origin(row, voice))
            placed += [(entry.place, line) for line in (*around, said)]
        return placed

    def _explain(self, made: Context, choice: Choice) -> None:
        """Say what is not sent, and why."""
        sent = {line.seq for line in made.lines}
        reasons = dict.fromkeys((row.seq for row in self.systems), base.BUDGET) | choice.reasons
        limit = len(sent) + settings.CONTEXT_LEFT_OUT_MAX
        if self.past.ended:
            entries = [entry.place for entry in self.past.seen.values()]
            places = sorted([*entries, *((row.anchor, row.seq) for row in self.systems)], reverse=True)
        else:
            places = selectors.places(self.conversation, until=self.until, limit=limit)
        for anchor, seq in places[:limit]:
            told = any(one.from_seq <= anchor <= one.to_seq for one in made.summarised)
            if seq not in sent and not told:
                made.left_out[seq] = reasons.get(seq, choice.beyond)
        if len(places) >= limit:
            first = min([places[limit - 1][0], *(one.from_seq for one in made.summarised)])
            made.left_out_before = first if first > 1 else None


def fitting(choice: Choice, budget: Budget) -> tuple[list[Entry], list[Digest]]:
    """What was chosen, once each; the oldest go where a strategy took more than its budget."""
    entries = sorted({entry.id: entry for entry in choice.entries}.values(), key=lambda one: one.place)
    digests = sorted(choice.digests, key=lambda one: one.place)
    while digests and size([*entries, *digests]) > budget.tokens:
        digests.pop(0)
    while entries and (size(entries) > budget.tokens or len(entries) > budget.messages):
        entries.pop(0)
    return entries, digests


def voiced(voice: str, text: str) -> str:
    """A text with the name of who said it in front, where there is one to be told."""
    return f"{voice}: {text}" if voice else text


def within(told: Placed, room: int) -> Placed:
    """Of lines in their order what fits, in whole messages: names in front of texts were not counted before."""
    while told and sum(line.tokens for _, line in told) > room:
        told = [one for one in told if one[0] != told[0][0]]
    return told


def _summed(digests: Sequence[Digest]) -> Placed:
    return [(one.place, Line("system", one.text, one.tokens)) for one in digests]


def _origin(row: Message, voice: str) -> dict[str, Any]:
    """Where in the log the text stands, and whose name is told in front of it."""
    found = (own for own in reversed(row.versions) if own["event"] == str(row.text_event))
    named = {"voice": voice} if voice else {}
    return next(({"event": past.source(own), **named} for own in found), {})
