"""What tokens cost: the table of the setting PRICES."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import ImproperlyConfigured

PER = 1_000_000
CURRENCY = "USD"


@dataclass(frozen=True)
class Price:
    """Of so many (PER) tokens that go in, that go in and were cached by the provider, and that come out."""

    input: Decimal
    cached: Decimal
    output: Decimal
    currency: str = CURRENCY

    @property
    def version(self) -> str:
        """Changes with any of the values: by it one sees which price a cost rests on."""
        values = [str(value.normalize()) for value in (self.input, self.cached, self.output)]
        return hashlib.sha256("|".join([*values, self.currency]).encode()).hexdigest()[:8]

    def of(self, input: int, cached: int, output: int) -> Decimal:
        """The cost of one call; `cached` is a part of `input`."""
        fresh = max(0, input - cached)
        return (self.input * fresh + self.cached * cached + self.output * output) / PER


def read(text: str) -> dict[str, Price]:
    """The prices by name of an assistant or a model, from JSON. Raises ImproperlyConfigured with the cure."""
    try:
        table = json.loads(text or "{}", parse_float=Decimal, parse_int=Decimal)
        return {str(name): price(given) for name, given in table.items()}
    except (ValueError, ArithmeticError, AttributeError, KeyError, TypeError) as error:
        example = '{"gpt-4o-mini": {"input": 0.15, "cached": 0.075, "output": 0.6, "currency": "USD"}}'
        raise ImproperlyConfigured(f"PRICES must be JSON such as {example} ({error!r}).") from error


def price(given: Mapping[str, Any]) -> Price:
    """A price as it stands in a configuration. Raises ValueError, KeyError and the like for what is none."""
    given = {name: Decimal(str(value)) if isinstance(value, int | float) else value for name, value in given.items()}
    unknown = set(given) - {"input", "cached", "output", "currency"}
    currency = given.get("currency", CURRENCY)
    values = (Decimal(given["input"]), Decimal(given.get("cached", given["input"])), Decimal(given["output"]))
    if unknown or not all(value.is_finite() and value >= 0 for value in values):
        raise ValueError(f"not a price: {', '.join(unknown) or values}")
    if not isinstance(currency, str) or not 0 < len(currency) <= 8:
        raise ValueError(f"not a currency: {currency}")
    return Price(*values, currency=currency)
