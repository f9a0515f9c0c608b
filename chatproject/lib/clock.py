"""Times: aware, UTC, milliseconds (PROTOCOL.md section 1)."""

from datetime import UTC, datetime
from functools import lru_cache


def to_millis(moment: datetime) -> datetime:
    """`moment` cut to whole milliseconds, as it is stored and sent."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def now() -> datetime:
    return to_millis(datetime.now(UTC))


def rfc3339(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with milliseconds and `Z`, e.g. `2026-11-20T10:00:00.000Z`."""
    return None if moment is None else _written(moment)


@lru_cache(64)
def _written(moment: datetime) -> str:
    """What a group of events says of its time is said many times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
