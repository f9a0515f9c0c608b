"""What `run:end` says of a run's usage: what its assistant said, else an estimate; and what it costs."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings

from chatproject.lib import prices
from chatproject.lib.prices import Price
from conversations.assistants import registry
from conversations.connectors import directory
from conversations.models import Run
from conversations.usage.tokens import Usage, added, cleaned, count


def settled(run: Run, given: Any, *, status: str, tokens: Mapping[str, int]) -> Usage | None:
    """The usage of a run that ends, with its cost.

    `given` is what its assistant said of it; where that is nothing, what was sent and received is counted: `tokens`
    are those of the answer's text, by encoding. A call of a run that asked a person before, or made steps, is added to
    what was noted then.
    """
    noted = cleaned(run.usage)
    usage = cleaned(given) or added(noted, estimated(run, status, tokens, noted))
    return priced(usage, run) if usage else None


def estimated(run: Run, status: str, tokens: Mapping[str, int], noted: Mapping[str, Any] | None = None) -> Usage | None:
    """The call in hand: the context that was sent, and what came back that is not in `noted`.

    None where nothing was sent to a model, or the call failed before anything came.
    """
    written = max(0, _written(run, tokens) - count((noted or {}).get("output_tokens")))
    if run.context is None or run.assistant in settings.UNCOUNTED_ASSISTANTS:
        return None
    # What was taken by those that it asked is told by the parts, where there are any.
    if status == Run.Status.COMPLETED and registry.asks_others(run.assistant):
        return None
    if run.status == Run.Status.WAITING or (status == Run.Status.FAILED and not written):
        return None
    return {"input_tokens": count(run.context["tokens"]), "output_tokens": written, "estimated": True}


def priced(usage: Usage, run: Run) -> Usage:
    """`usage` with `cost`, `currency` and the version of the `prices`, where all of it has a price; each of its parts
    with its assistant and its own."""
    parts = [_with_cost(part, run) for part in usage.get("parts") or [usage]]
    told = {**usage, "parts": parts} if usage.get("parts") else usage
    currencies = {part.get("currency") for part in parts}
    if None in currencies or len(currencies) != 1:
        return told
    cost = sum((Decimal(part["cost"]) for part in parts), Decimal(0))
    versions = ",".join(dict.fromkeys(part["prices"] for part in parts))
    return {**told, "cost": _text(cost), "currency": parts[0]["currency"], "prices": versions}


def _with_cost(part: Mapping[str, Any], run: Run) -> Usage:
    """One assistant's part, the run's own where it does not say whose, with what it costs as far as that is known."""
    whole = part if "assistant" in part else {"assistant": run.assistant, **part}
    price = _price(whole if "assistant" in part else {"model": _model(run), **whole})
    if price is None:
        return dict(whole)
    return {**whole, "cost": _text(_cost(part, price)), "currency": price.currency, "prices": price.version}


def _written(run: Run, tokens: Mapping[str, int]) -> int:
    """Tokens of the answer as the run's model counts them, or another model."""
    encoding = (run.context or {}).get("encoding")
    return tokens.get(str(encoding), max(tokens.values(), default=0))


def _price(part: Mapping[str, Any]) -> Price | None:
    names: Iterable[Any] = (part.get("assistant"), part.get("model"))
    known = next((settings.PRICES[name] for name in names if name in settings.PRICES), None)
    connector = directory.known().get(str(part.get("assistant")))
    return known or (prices.price(connector.config["prices"]) if connector and "prices" in connector.config else None)


def _model(run: Run) -> str | None:
    model = (run.context or {}).get("model")
    return str(model) if model else None


def _cost(part: Mapping[str, Any], price: Price) -> Decimal:
    given, cached, written = (count(part.get(name)) for name in ("input_tokens", "cached_tokens", "output_tokens"))
    return price.of(given, cached, written)


def _text(cost: Decimal) -> str:
    """Without an exponent, and no more digits than it has."""
    return f"{cost.normalize():f}"
