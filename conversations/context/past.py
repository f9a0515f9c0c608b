"""The past as the database has it: read from the newest on, and no further than a strategy looks."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.conf import settings

from conversations import selectors
from conversations.context import digests, ranges, tokens, tools
from conversations.context.base import Digest, Entry
from conversations.context.digests import Made, Numbered, Span
from conversations.context.ranges import Range
from conversations.models import Run
from conversations.selectors.contexts import Light

# Ranges that are summarised while somebody waits; more is left to the background.
MADE_AT_ONCE = 8
# Messages of one range that are read to be summarised.
READ_AT_ONCE = 4 * ranges.WIDTH


class StoredPast:
    """Implements `base.Past`. `until` is the seq of the message that is answered, behind which nothing is read;
    `without` is sent in any case.

    `counted` (message -> event of its text, tokens) and `made` are what came up on the way and is worth keeping.
    `incomplete` says that there is more to be summarised. `seen` are all entries that were looked at, `ended`
    whether these are all that there are; `called` are the runs of theirs that called tools.
    """

    def __init__(self, conversation: UUID, encoding: str, until: int | None, without: frozenset[UUID]) -> None:
        self.conversation = conversation
        self.encoding = encoding
        self.without = without
        self.seen: dict[UUID, Entry] = {}
        self.ended = False
        self.counted: dict[UUID, tuple[UUID | None, int]] = {}
        self.made: list[Made] = []
        self.incomplete = False
        self.called: dict[UUID, Run] = {}
        self._end = selectors.before(until)

    def newest(self) -> Iterator[Entry]:
        limit = settings.CONTEXT_MESSAGES + 1
        rows = selectors.newest(self.conversation, self._end, limit)
        while True:
            yield from self._entries(rows)
            if len(rows) < limit:
                self.ended = True
                return
            rows = selectors.newest(self.conversation, (rows[-1].anchor, rows[-1].seq), limit)

    def kept(self, limit: int) -> Sequence[Entry]:
        rows = selectors.kept(self.conversation, self._end, limit + len(self.without))
        return self._entries(rows)[:limit]

    def reserve(self, before: int) -> int:
        each = settings.CONTEXT_SUMMARY_TOKENS + tokens.PER_MESSAGE
        return (len(ranges.cover(before)) + 1) * each

    def digests(self, before: int) -> Iterator[Digest]:
        covered = ranges.cover(before)
        rest = Span(covered[-1].to_seq + 1 if covered else 1, before - 1)
        if rest.from_seq <= rest.to_seq:
            yield from self._digest(rest, self._summarised(rest))
        yield from self._down(covered)

    def _down(self, wanted: Sequence[Range]) -> Iterator[Digest]:
        """What there is of these ranges, the newest first; the smaller ones where a larger is missing. Ends where
        more is missing than can be made at once."""
        stored = selectors.summaries(self.conversation, wanted)
        for one in reversed(wanted):
            if len(self.made) == MADE_AT_ONCE and one not in stored:
                self.incomplete = True
                return
            if one in stored:
                yield from self._digest(one, digests.opened(stored[one]), stored[one].tokens.get(self.encoding))
            elif one.level:
                self.incomplete = True
                yield from self._down(one.parts)
            else:
                self.made.append(Made(one, self._summarised(one)))
                yield from self._digest(one, self.made[-1].text)

    def _summarised(self, span: Numbered) -> str:
        said = selectors.said_between(self.conversation, span.from_seq, span.to_seq, READ_AT_ONCE)
        return digests.extracted(said, self.encoding)

    def _digest(self, span: Numbered, text: str, known: int | None = None) -> Iterator[Digest]:
        """Of a range in which nothing was said, there is nothing to tell."""
        if text:
            yield digests.digest(span, text, self.encoding, known)

    def _entries(self, rows: Iterable[Light]) -> list[Entry]:
        """`rows` as entries, but for those that are sent in any case and those without a word."""
        wanted = [row for row in rows if row.id not in self.without]
        sizes = self._sizes(wanted)
        runs = [row.run for row in wanted if row.role == "assistant" and row.run]
        self.called |= selectors.tool_runs(runs) if runs else {}
        entries = [self._entry(row, sizes[row.id]) for row in wanted if sizes[row.id]]
        self.seen |= {entry.id: entry for entry in entries}
        return entries

    def _entry(self, row: Light, size: int) -> Entry:
        called = self.called.get(row.run) if row.run else None
        with_tools = size + tools.tokens_of(called, self.encoding) if called and row.role == "assistant" else size
        around = tokens.PER_MESSAGE + tokens.PER_FILE * len(row.parts)
        return Entry(row.id, row.seq, row.anchor, row.role, with_tools + around, row.pinned)

    def _sizes(self, rows: Sequence[Light]) -> dict[UUID, int]:
        """Tokens by message; those that were never counted in this encoding are counted now."""
        unknown = [row.id for row in rows if self.encoding not in row.tokens]
        texts = selectors.texts(unknown) if unknown else {}
        for id_, text in selectors.told(texts.values()).items():
            self.counted[id_] = texts[id_].text_event, tokens.count(text, self.encoding)
        known = {row.id: row.tokens.get(self.encoding, 0) for row in rows}
        return known | {id_: size for id_, (_, size) in self.counted.items() if id_ in known}
