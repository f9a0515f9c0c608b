"""The numbers in `Run.usage`, for PostgreSQL to add up. What is no number there (in an imported log, say) counts 0."""

from django.db.models import DecimalField, Expression, F, Func, Q, Sum
from django.db.models.functions import Coalesce

from conversations.usage.tokens import COUNTS

NUMBER = DecimalField(max_digits=40, decimal_places=18)


def total(name: str, condition: Q | None = None) -> Expression:
    """The sum of a count of tokens."""
    number = _column(f"CASE WHEN jsonb_typeof(%(expressions)s->'{_known(name)}') = 'number'"
                     f" THEN (%(expressions)s->>'{name}')::numeric ELSE 0 END")  # fmt: skip
    return Coalesce(Sum(number, filter=condition), 0, output_field=NUMBER)


def _known(name: str) -> str:
    if name not in COUNTS:
        raise ValueError(name)
    return name


def _column(template: str) -> Expression:
    return Func(F("usage"), template=f"({template})", output_field=NUMBER)
