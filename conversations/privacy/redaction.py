"""Texts, and JSON with texts in it, with MARK in place of what must not be kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from conversations.privacy.patterns import patterns

MARK = "[REDACTED]"
# A JSON number is looked at where it is as long as the shortest number that a pattern looks for.
SHORTEST_NUMBER = 9

Spans = Sequence[tuple[int, int]]


@dataclass
class Search:
    """Goes through values; `found` counts what was found, by the pattern's name."""

    found: Counter[str] = field(default_factory=Counter)

    def text(self, text: str, before: str = "") -> str:
        """The text without what is found; `before` is what a reader would see in front of it (a key)."""
        shift = len(before)
        spans = self._spans(before + text, shift)
        return cut(text, [(max(0, start - shift), end - shift) for start, end in spans]) if spans else text

    def value(self, value: Any, before: str = "") -> Any:
        """Any JSON, the same way; keys are texts, too, and say what stands behind them."""
        if isinstance(value, str):
            return self.text(value, before)
        if isinstance(value, dict):
            return {self.text(key): self.value(item, f"{key}:\n") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item, before) for item in value]
        return self._number(value, before) if isinstance(value, int) else value

    def _spans(self, text: str, after: int) -> Spans:
        found = [(pattern.name, span) for pattern in patterns() for span in pattern.spans(text) if span[1] > after]
        if not found:
            return ()
        self.found.update(name for name, _ in found)
        return sorted(span for _, span in found)

    def _number(self, value: int, before: str) -> Any:
        if abs(value) < 10 ** (SHORTEST_NUMBER - 1):
            return value
        text = self.text(str(value), before)
        return value if text == str(value) else text


def cut(text: str, spans: Spans) -> str:
    """`text` with one MARK for each stretch that spans cover, overlapping or touching ones together."""
    parts: list[str] = []
    at = 0
    covered = -1
    for start, end in spans:
        if start > covered:
            parts += [text[at:start], MARK]
        covered = at = max(covered, end)
    return "".join([*parts, text[at:]])
