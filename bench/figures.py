"""Figures of the real-time engine and their targets (issue 4), as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """How thoroughly is measured: turns of each server, and seconds of one window."""

    repeat: int = 5
    seconds: float = 1.5


@dataclass(frozen=True)
class Figure:
    """`holds` is None where there is no target, or nothing to compare with."""

    what: str
    found: str
    target: str = "–"
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        return "–" if self.holds is None else "yes" if self.holds else "NO"


def at_least(what: str, value: float, target: float, unit: str = "×") -> Figure:
    return Figure(what, f"{value:,.2f} {unit}", f"≥ {target:g} {unit}", value >= target)


def at_most(what: str, value: float, target: float, unit: str = "×") -> Figure:
    return Figure(what, f"{value:,.2f} {unit}", f"≤ {target:g} {unit}", value <= target)


def summary(figures: Iterable[Figure]) -> str:
    rows = [(one.what, one.found, one.target, one.verdict) for one in figures]
    return table(("figure", "measured", "target", "held"), rows)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up."""
    filled = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in filled) for column in range(len(heads))]
    head, *body = [_line([cell.ljust(width) for cell, width in zip(row, widths, strict=True)]) for row in filled]
    return "\n".join([head, _line(["-" * width for width in widths]), *body])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
