"""Fixtures for the processes of one machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import serving


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A DATA_DIR that is not there yet."""
    with serving.data_dir() as path:
        yield path


@pytest.fixture(scope="module")
def shared_data_dir() -> Iterator[Path]:
    """One for all tests of a module, which must leave what runs there running."""
    with serving.data_dir() as path:
        yield path
