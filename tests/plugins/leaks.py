"""Fails every test during which the product logs a secret in this process; tests/faults and tests/serving.py look at
what other processes logged."""

import logging
from collections.abc import Iterator

import pytest

from tests.leaks import leaks


class Listener(logging.Handler):
    """Hears everything, as the product's own handler writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
        self.found += leaks(self.format(record))


@pytest.fixture(scope="session")
def listener() -> Iterator[Listener]:
    """On the root logger, with the product's formatter."""
    root = logging.getLogger()
    ours = next(handler for handler in root.handlers if type(handler) is logging.StreamHandler)
    listener = Listener()
    listener.setFormatter(ours.formatter)
    root.addHandler(listener)
    yield listener
    root.removeHandler(listener)


@pytest.fixture(autouse=True)
def nothing_leaks(listener: Listener) -> Iterator[None]:
    """What other threads log later is found by the test that runs then."""
    yield
    found, listener.found = listener.found, []
    assert found == [], "the product logged a secret"
