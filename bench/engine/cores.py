"""Which processor does what: the server that is measured has one for itself, everything else shares another."""

import os
import time
from dataclasses import dataclass

import psutil

# Of the cores that this process may use: the first is the server's.
_ALLOWED = sorted(os.sched_getaffinity(0))
SERVER = _ALLOWED[0]
OTHERS = _ALLOWED[-1]


def take_others() -> None:
    """Put this process, and what it starts from now on (generator, PostgreSQL, Redis), beside the server."""
    os.sched_setaffinity(0, {OTHERS})


@dataclass
class Busy:
    """How much of a time two cores, and this process on one of them, were busy; 1 = all of it."""

    server: float
    others: float
    generator: float


class Watch:
    """Measures from its making to `read`."""

    def __init__(self) -> None:
        self._began = self._now()

    def read(self) -> Busy:
        before, after = self._began, self._now()
        took = max(after[0] - before[0], 1e-9)
        server, others, generator = ((late - early) / took for early, late in zip(before[1:], after[1:], strict=True))
        return Busy(server, others, generator)

    @staticmethod
    def _now() -> tuple[float, float, float, float]:
        times = psutil.cpu_times(percpu=True)
        return time.monotonic(), _worked(times[SERVER]), _worked(times[OTHERS]), time.process_time()


def _worked(times: object) -> float:
    return float(sum(getattr(times, kind, 0.0) for kind in ("user", "system", "nice", "irq", "softirq", "steal")))
