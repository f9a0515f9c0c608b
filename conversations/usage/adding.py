"""The numbers in `Run.usage`, added up by PostgreSQL. What is no number there (in an imported log, say) counts 0."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet

from conversations.usage.tokens import COUNTS

# What several assistants took together is in parts, each with its assistant and its cost; else the whole is the part.
PARTS = """
    CASE WHEN jsonb_typeof(run.usage->'parts') = 'array' AND run.usage->'parts'->0 IS NOT NULL
    THEN run.usage->'parts' ELSE jsonb_build_array(run.usage) END
"""
COST = r"CASE WHEN part->>'cost' ~ '^\d{1,15}(\.\d{1,18})?$' THEN (part->>'cost')::numeric ELSE 0 END AS cost"
NUMBER = "CASE WHEN jsonb_typeof(part->'{0}') = 'number' THEN (part->>'{0}')::numeric ELSE 0 END AS {0}"
SUMS = ", ".join(f"COALESCE(SUM({name}), 0) AS {name}" for name in (*COUNTS, "cost"))
# The levels of the sums: of a key and currency, of a key, of everything.
PRICED, KEY, ALL = 0, 1, 3


def added(runs: QuerySet[Any, Any], *, by_assistant: bool) -> list[dict[str, Any]]:
    """Sums over rows of `id`, `usage` and a `key`: `{level, key, currency, runs, estimates, cost}` and the COUNTS, at
    each level. With `by_assistant`, what belongs to another assistant than the run's is under that one's name."""
    inner, given = runs.query.sql_with_params()
    key = "COALESCE(part->>'assistant', run.key)" if by_assistant else "run.key"
    taken = f"""
        SELECT run.id, {key} AS key, part->>'currency' AS currency, part->'estimated' = 'true' AS estimated,
            {", ".join(NUMBER.format(name) for name in COUNTS)}, {COST}
        FROM ({inner}) run CROSS JOIN LATERAL jsonb_array_elements({PARTS}) AS part
    """  # noqa: S608  our own names
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT GROUPING(key, currency) AS level, key, currency, COUNT(DISTINCT id) AS runs,
                COUNT(DISTINCT id) FILTER (WHERE estimated) AS estimates, {SUMS}
            FROM ({taken}) taken GROUP BY GROUPING SETS ((key, currency), (key), ())
            """,  # noqa: S608  our own names
            given,
        )
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
