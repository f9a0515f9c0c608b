"""Which texts are meant most: BM25 on what was opened, with a premium for words that stand side by side."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from conversations.search.query import Phrase, Query
from conversations.search.words import counts, folded, words

# Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), 3.5: a term counts less
# the more often it came already (K), and in longer texts (B).
K, B = 1.2, 0.5
# Cormack, Clarke and Büttcher, Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods
# (2009): the constant that they found to be best.
FUSION = 60
# How much two words of the query count more where they stand side by side, as a share of an average term.
SIDE_BY_SIDE = 0.4


@dataclass(frozen=True)
class Text:
    """A text that was opened: which term is in it how often, and the whole without case."""

    text: str
    counts: Counter[str]
    folded: str

    @classmethod
    def of(cls, text: str) -> "Text":
        return cls(text, counts(text), folded(text))

    @property
    def length(self) -> int:
        return self.counts.total()


def rank(query: Query, texts: Sequence[str]) -> list[tuple[float, int]]:
    """`(score, place in texts)` of those that fit, the best first, of equal ones the first; scores are above 0."""
    opened = [Text.of(text) for text in texts]
    weights = _weights(query, opened)
    average = sum(one.length for one in opened) / max(len(opened), 1)
    found = [(_score(query, one, weights, average), place) for place, one in enumerate(opened) if fits(query, one)]
    return sorted(found, key=lambda hit: (-hit[0], hit[1]))


def fits(query: Query, text: Text) -> bool:
    """Whether at least one term is there, and `is_allowed`."""
    return any(term in text.counts for term in query.terms) and is_allowed(query, text)


def is_allowed(query: Query, text: Text) -> bool:
    """Whether every phrase is there, and nothing that must not be."""
    return (
        not any(term in text.counts for term in query.without)
        and all(_has(text, phrase) for phrase in query.phrases)
        and not any(_has(text, phrase) for phrase in query.without_phrases)
    )


def _weights(query: Query, texts: Sequence[Text]) -> dict[str, float]:
    """How telling each term is (inverse document frequency): among the candidates, and as many other texts that
    have none of them, so that a term of every candidate still weighs something."""
    total = 2 * len(texts) + 1
    having = {term: sum(term in one.counts for one in texts) for term in query.terms}
    return {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in having.items()}


def _score(query: Query, text: Text, weights: dict[str, float], average: float) -> float:
    stretch = K * (1 - B + B * text.length / (average or 1))
    score = sum(
        weight * text.counts[term] * (K + 1) / (text.counts[term] + stretch)
        for term, weight in weights.items()
        if term in text.counts
    )
    beside = sum(pair in text.folded for pair in query.neighbours)
    return score + beside * SIDE_BY_SIDE * sum(weights.values()) / len(weights)


def _has(text: Text, phrase: Phrase) -> bool:
    """Whether the exact words of `phrase` follow one another."""
    if not all(word in text.folded for word in phrase):
        return False
    exact = [word.exact for word in words(text.text) if word.main]
    return any(tuple(exact[at : at + len(phrase)]) == phrase for at in range(len(exact) - len(phrase) + 1))


def fused(rankings: Sequence[Sequence[UUID]]) -> dict[UUID, float]:
    """Several rankings as one: reciprocal rank fusion. Ids and their scores, the best first."""
    scores: dict[UUID, float] = {}
    for ranking in rankings:
        for place, id_ in enumerate(ranking, start=1):
            scores[id_] = scores.get(id_, 0.0) + 1 / (FUSION + place)
    return dict(sorted(scores.items(), key=lambda one: -one[1]))
