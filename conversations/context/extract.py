"""Summaries without a model: the sentences that say most, in their order.

A sentence counts as much as its words do on average, and a word the more often it comes in the part that is
summarised (Luhn, "The automatic creation of literature abstracts", 1958; words of one or two letters say
nothing). For languages without spaces, pairs of characters stand for words.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
WORD = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,}|\d{2,}")
RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
# Code points of one message that are looked at, and of one sentence that are kept.
READ = 2000
LONGEST = 240

Said = tuple[str, str]


def extract(said: Sequence[Said], limit: int, count: Callable[[str], int]) -> str:
    """The best lines of `said`, (who, text) in order, in at most `limit` tokens as `count` counts them."""
    lines = [(who, sentence) for who, text in said for sentence in _sentences(text)]
    weights = Counter(word for _, sentence in lines for word in _words(sentence))
    ranked = sorted(range(len(lines)), key=lambda n: (-_score(lines[n][1], weights), n))
    chosen: list[int] = []
    for number in ranked:
        cost = count(_line(lines[number])) + 1
        if cost <= limit:
            chosen.append(number)
            limit -= cost
    return "\n".join(_line(lines[number]) for number in sorted(chosen))


def _sentences(text: str) -> list[str]:
    found = (sentence.strip() for sentence in SENTENCE.findall(text[:READ]))
    return [sentence[:LONGEST] for sentence in dict.fromkeys(found) if any(map(str.isalnum, sentence))]


def _words(sentence: str) -> list[str]:
    pairs = [run[n : n + 2] for run in RUN.findall(sentence) for n in range(max(1, len(run) - 1))]
    return [word.lower() for word in WORD.findall(sentence)] + pairs


def _score(sentence: str, weights: Counter[str]) -> float:
    words = _words(sentence)
    return sum(weights[word] for word in words) / (len(words) + 3)


def _line(said: Said) -> str:
    who, sentence = said
    return f"{who}: {sentence}" if who else sentence
