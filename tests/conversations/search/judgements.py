"""The judgement sets: documents, queries, and what each query should bring; measures of a ranking."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DOCUMENT = re.compile(r"(\w+) \| (.+)")
QUERY = re.compile(r"([?!]) (.+) => (.+)")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Judgement:
    """`relevant` are ids of documents; what is `held_out` was not looked at while the ranking was tuned."""

    query: str
    relevant: frozenset[str]
    held_out: bool

    def recall(self, found: Sequence[str], at: int = 10) -> float:
        """The share of the relevant documents among the first ones found."""
        return len(self.relevant & set(found[:at])) / len(self.relevant)

    def ndcg(self, found: Sequence[str], at: int = 10) -> float:
        """Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002), relevance 0 or 1."""
        gain = sum(1 / math.log2(place + 2) for place, id_ in enumerate(found[:at]) if id_ in self.relevant)
        return gain / sum(1 / math.log2(place + 2) for place in range(min(at, len(self.relevant))))


@dataclass(frozen=True)
class Judgements:
    documents: dict[str, str]
    queries: Sequence[Judgement]


def load(language: str) -> Judgements:
    """The set of one language: `en` or `zh`."""
    lines = (HERE / f"judgements.{language}.txt").read_text().splitlines()
    asked = [match for line in lines if (match := QUERY.fullmatch(line))]
    return Judgements(
        {match[1]: match[2] for line in lines if (match := DOCUMENT.fullmatch(line))},
        [Judgement(match[2], frozenset(match[3].split()), match[1] == "!") for match in asked],
    )
