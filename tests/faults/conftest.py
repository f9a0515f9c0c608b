"""Processes for tests that kill them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Callable[..., Cluster]:
    """Makes processes: `async with cluster(webs=2, workers=1, LEASE_SECONDS="3") as running`."""

    def make(*, webs: int = 1, workers: int = 0, **settings: str) -> Cluster:
        return Cluster(tmp_path, webs=webs, workers=workers, **settings)

    return make


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line that is seen whatever becomes of the test."""

    def line(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return line
