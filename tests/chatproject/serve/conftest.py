"""`manage.py serve`, with real processes: a first start that others are copied from, and one that runs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import serving
from tests.serving import Serve

# For what has nothing to do with workers: a start is two seconds shorter without one.
NO_WORKER = {"WORKER_PROCESSES": "0"}


@pytest.fixture(scope="module")
def first(shared_data_dir: Path) -> Serve:
    """The first start in a DATA_DIR; ended again."""
    with Serve(shared_data_dir, settings=NO_WORKER) as serve:
        return serve


@pytest.fixture(scope="module")
def pattern(first: Serve) -> Iterator[Path]:
    """What the first start left."""
    with serving.data_dir() as path:
        copy(first.data_dir, path)
        yield path


@pytest.fixture
def used_data_dir(pattern: Path, data_dir: Path) -> Path:
    """A DATA_DIR in which `serve` has been once."""
    copy(pattern, data_dir)
    return data_dir


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--archive", source, target], check=True)


@pytest.fixture(scope="module")
def running(first: Serve, pattern: Path) -> Iterator[Serve]:
    """The second start; the tests of a module only look at it."""
    with Serve(first.data_dir, settings={"WEB_PROCESSES": "2"}) as serve:
        yield serve
