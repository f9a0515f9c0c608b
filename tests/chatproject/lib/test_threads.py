"""Threads that share the interpreter."""

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from chatproject.lib import threads

BREAKS = 50


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    interval = sys.getswitchinterval()
    yield
    sys.setswitchinterval(interval)


def test_who_waited_for_something_else_need_not_wait_long_for_a_busy_thread() -> None:
    """Of several tries: other programs take their turns, too."""
    threads.take_short_turns()
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            pass

    other = threading.Thread(target=busy)
    other.start()
    try:
        took = min(_time_of_breaks() for _ in range(5))
    finally:
        over.set()
        other.join()
    assert took / BREAKS < 0.004  # it was 0.005 and more


def _time_of_breaks() -> float:
    begun = time.perf_counter()
    for _ in range(BREAKS):
        time.sleep(0.0001)
    return time.perf_counter() - begun
