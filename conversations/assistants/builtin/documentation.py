"""Finding the sections that answer a question: full-text search by SQLite (FTS5), in memory, offline."""

import math
import re
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from threading import Lock

from conversations.assistants.builtin import pages
from conversations.assistants.builtin.pages import Block, Section

# Several words joined by a sign (`conversation_busy`, `run:end`, `sign-up`) are looked for as a phrase.
WORD = re.compile(r"\w+(?:[:.'’/-]\w+)*")
MAX_WORDS = 24
# How much a word counts in: the page's title, the heading, the keywords, the text.
WEIGHTS = (1.0, 4.0, 4.0, 1.0)
# The least share of a question (weighed by how telling its words are) that a section must cover.
ENOUGH = 0.52
# The least relevance of a further section, as a share of the best one's.
NEAR = 0.3
PASSAGE_LENGTH = 1500
# README.md and the first lines of a page only sum up what stands elsewhere in full.
README, SUMMARY_WEIGHT = "README.md", 0.5
# A short question means what newcomers mean by it.
FIRST_PAGES, FIRST_WEIGHT = ("docs/getting-started.md", "docs/using-the-chat.md"), 1.25
TABLES = """
CREATE VIRTUAL TABLE sections USING fts5(title, heading, keywords, body, tokenize = 'porter unicode61');
CREATE VIRTUAL TABLE blocks USING fts5(section UNINDEXED, body, tokenize = 'porter unicode61');
"""
STOP_WORDS = frozenset(
    """
    a about all also am an and any anything are as at be been but by can could did do does doesn't don't everything for
    from get gets getting give go had has have he help her here hers him his how i i'd i'm if in into is isn't it it's
    its just know like made make makes me mean means my need not of on or our out please put say she should so some
    something tell than that that's the their them then there these they thing things this those to too us use used
    using want was way we well were what what's when where which while who why will with without work works would you
    your
    """.split()  # noqa: SIM905  a list of words reads better as text
)


Cover = dict[str, tuple[set[int], float]]


@dataclass(frozen=True)
class Passage:
    """A section that fits a question; `score` is the share of the question that it covers, 0 to 1."""

    section: Section
    score: float
    text: str


class Documentation:
    """An index of sections and one of their blocks, both with English stemming. Safe to use from any thread."""

    def __init__(self, sections: list[Section]) -> None:
        self.sections = sections
        self._lock = Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        with self._database:
            self._database.executescript(TABLES)
            self._database.executemany(
                "INSERT INTO sections(rowid, title, heading, keywords, body) VALUES (?, ?, ?, ?, ?)",
                [(n, one.title, one.heading, one.keywords, one.text) for n, one in enumerate(sections)],
            )
            self._database.executemany(
                "INSERT INTO blocks(section, body) VALUES (?, ?)",
                [(n, block.text) for n, one in enumerate(sections) for block in one.blocks],
            )

    def about(self) -> str:
        """What the product is: the first paragraph of README.md."""
        return next(section.blocks[0].text for section in self.sections if section.page == README)

    def topics(self) -> list[Section]:
        """The first section of every page of docs/, but for the decisions."""
        first = {section.page: section for section in reversed(self.sections)}
        return [one for one in self.sections if first[one.page] is one and re.fullmatch(r"docs/[^/]+", one.page)]

    def search(self, question: str, most: int = 3) -> list[Passage]:
        """The sections that cover enough of the question, best first; none where nothing does."""
        with self._lock:
            found = self._cover(question)
            if not found:
                return []
            query = " OR ".join(map(_quoted, [*found, *_pairs(question, found)]))
            return self._passages(self._ranked(found, query)[:most], query)

    def _ranked(self, found: Cover, query: str) -> list[tuple[float, float, int]]:
        """(relevance, share of the question, section) of those that cover enough of it, best first."""
        telling = sum(weight for _, weight in found.values())
        ranked = []
        for row, relevance in self._rows(query):
            share = sum(weight for rows, weight in found.values() if row in rows) / telling
            if share >= ENOUGH:
                ranked.append((relevance * share * _weight(self.sections[row]), share, row))
        ranked.sort(reverse=True)
        return [one for one in ranked if one[0] >= ranked[0][0] * NEAR]

    def _passages(self, ranked: list[tuple[float, float, int]], query: str) -> list[Passage]:
        return [Passage(self.sections[row], round(share, 2), self._excerpt(row, query)) for _, share, row in ranked]

    def _cover(self, question: str) -> Cover:
        """The telling words of a question: the sections that hold each, and how much it tells."""
        found: Cover = {}
        for word in self._words(question):
            rows = self._holding(word)
            found[word] = rows, math.log1p(len(self.sections) / (1 + len(rows)))
        return found

    def _words(self, question: str) -> list[str]:
        """Words without fillers, each once; a joined word that is nowhere is taken apart."""
        words: dict[str, None] = {}
        for word in WORD.findall(question.lower())[: MAX_WORDS * 4]:
            parts = [word] if self._holding(word) else re.findall(r"[^\W_]+", word)
            words |= dict.fromkeys(part for part in parts if len(part) > 1 and not {word, part} & STOP_WORDS)
        return list(words)[:MAX_WORDS]

    def _holding(self, word: str) -> set[int]:
        return {row for row, _ in self._rows(_quoted(word))}

    def _rows(self, query: str) -> list[tuple[int, float]]:
        """Sections that match, and how relevant each is."""
        statement = "SELECT rowid, -bm25(sections, ?, ?, ?, ?) FROM sections WHERE sections MATCH ?"
        return self._database.execute(statement, [*WEIGHTS, query]).fetchall()

    def _excerpt(self, row: int, query: str) -> str:
        """The whole section where it is short; else its beginning and the blocks that fit the question best."""
        blocks = self.sections[row].blocks
        if len(self.sections[row].text) <= PASSAGE_LENGTH:
            return pages.joined(blocks)
        matching = self._database.execute(
            "SELECT body FROM blocks WHERE blocks MATCH ? AND section = ? ORDER BY bm25(blocks)", [query, row]
        )
        return pages.joined(_fitting(blocks, [body for (body,) in matching]))


def _fitting(blocks: list[Block], wanted: list[str]) -> list[Block]:
    """The first block, then the wanted ones while there is room, in the order of the page."""
    kept, room = {0}, PASSAGE_LENGTH - len(blocks[0].text)
    for body in wanted:
        position = next(n for n, block in enumerate(blocks) if block.text == body)
        if position not in kept and len(body) <= room:
            kept.add(position)
            room -= len(body)
    return [blocks[position] for position in sorted(kept)]


def _weight(section: Section) -> float:
    if section.page == README or section.heading == section.title:
        return SUMMARY_WEIGHT
    return FIRST_WEIGHT if section.page in FIRST_PAGES else 1.0


def _pairs(question: str, words: Collection[str]) -> list[str]:
    """Words that stand side by side in the question, such as `back up`: more telling than each alone."""
    said = WORD.findall(question.lower())
    found = {f"{first} {second}": None for first, second in pairwise(said) if first in words and second in words}
    return list(found)[:MAX_WORDS]


def _quoted(word: str) -> str:
    """`word` as an FTS5 string, in which nothing is an operator."""
    return '"' + word.replace('"', '""') + '"'


@cache
def _index(base: Path) -> Documentation:
    return Documentation(pages.read(base))


_building = Lock()


def documentation(base: Path) -> Documentation:
    """The documentation of the project in `base`, read once per process."""
    with _building:
        return _index(base)
