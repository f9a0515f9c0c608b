"""Processes for tests that kill them."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster import Cluster
from tests.postgres import Postgres


@pytest.fixture
def cluster(tmp_path: Path) -> Callable[..., Cluster]:
    """Makes processes: `async with cluster(webs=2, workers=1, LEASE_SECONDS="3") as running`."""

    def make(**options: Any) -> Cluster:
        return Cluster(tmp_path, **{"webs": 1, "workers": 0, **options})

    return make


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a line that is seen whatever becomes of the test."""

    def line(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return line


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that tests may do anything to; each makes a database of its own in it."""
    with Postgres() as server:
        yield server
