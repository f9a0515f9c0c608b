"""Metrics of what runs took."""

from chatproject.lib import metrics
from conversations.usage.tokens import COUNTS, Usage


def note(assistant: str, usage: Usage) -> None:
    """Count the tokens and the cost of a run that ended."""
    for name in COUNTS:
        metrics.tokens.labels(assistant, name.removesuffix("_tokens")).inc(usage.get(name, 0))
    if "cost" in usage:
        metrics.cost.labels(assistant, usage["currency"]).inc(float(usage["cost"]))
