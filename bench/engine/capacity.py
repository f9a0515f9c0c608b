"""The highest rate that a server keeps up with: p99 below 100 ms, nothing lost."""

from bench.engine.load import Load, Window

LOWEST_RATE = 1.0
# The first search doubles until it fails; the following ones begin where the last ended.
FIRST_STEP, LATER_STEP = 1.6, 1.15
TRIES = 12
HIGHEST_RATE = 60_000.0


async def highest(load: Load, start: float, seconds: float, *, first: bool) -> Window | None:
    """The best window that was found, starting at a rate of `start`; None where none was good."""
    step = FIRST_STEP if first else LATER_STEP
    good, bad = await _bracket(load, start, step, seconds)
    if good and bad:
        for _ in range(2 if first else 1):
            window = await load.window((good.rate * bad) ** 0.5, seconds)
            if window.good:
                good = window
            else:
                bad = window.rate
    return good


async def _bracket(load: Load, rate: float, step: float, seconds: float) -> tuple[Window | None, float | None]:
    """A good window and the next rate that is not; upwards as long as it is good, else downwards."""
    good: Window | None = None
    bad: float | None = None
    for _ in range(TRIES):
        window = await load.window(rate, seconds)
        if window.good:
            good = window
        else:
            bad = rate
        if (good and bad) or not LOWEST_RATE < rate < HIGHEST_RATE:
            break
        rate = rate * step if good else rate / step
    return good, bad
