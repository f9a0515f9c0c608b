"""Metrics of what runs took."""

from chatproject.lib import metrics
from conversations.assistants import registry
from conversations.usage.tokens import COUNTS, Usage


def note(assistant: str, usage: Usage) -> None:
    """Count the tokens and the cost of a run that ended, each part for its own assistant. What names none that is here
    counts for the run's: labels are not for anybody to choose."""
    here = registry.available()
    for part in usage.get("parts") or [usage]:
        name = part["assistant"] if part.get("assistant") in here else assistant
        for count in COUNTS:
            metrics.tokens.labels(name, count.removesuffix("_tokens")).inc(part.get(count, 0))
        if "cost" in part:
            metrics.cost.labels(name, part["currency"]).inc(float(part["cost"]))
