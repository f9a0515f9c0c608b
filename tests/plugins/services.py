"""Gives the tests a real PostgreSQL and Redis: those of DATABASE_URL and REDIS_URL, or embedded ones.

A plugin rather than a conftest, because Django's settings are read before any conftest is.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from chatproject import embedded
from chatproject.embedded.layout import Layout
from chatproject.embedded.progress import Progress
from chatproject.embedded.services import prepare, start_services
from chatproject.embedded.supervisor import Supervisor


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start the services before pytest-django reads the settings; end them with pytest, also after Ctrl-C."""
    if _runs_tests(early_config.known_args_namespace):
        services = TestServices()
        early_config.add_cleanup(services.stop)
        services.start()
    yield


def _runs_tests(given: argparse.Namespace) -> bool:
    """Whether tests run in this process: with `-n` they run in others, each with services of its own."""
    divides = getattr(given, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    return not (given.help or given.version or divides)


class TestServices:
    """A DATA_DIR of these tests only, with the services that no URL names."""

    __test__ = False

    def __init__(self) -> None:
        self.data_dir = Path(tempfile.mkdtemp(prefix="chat-tests-")).resolve()
        self.supervisor = Supervisor(Progress())

    def start(self) -> None:
        """Start what is needed, and tell Django's settings where it is."""
        # As root the services run as another user, who has to pass through.
        self.data_dir.chmod(0o711)
        layout = Layout(self.data_dir)
        prepare(layout)
        start_services(
            self.supervisor,
            layout,
            with_postgres="DATABASE_URL" not in os.environ,
            with_redis="REDIS_URL" not in os.environ,
        )
        os.environ["DATA_DIR"] = str(self.data_dir)
        database, redis = embedded.urls(self.data_dir)
        os.environ.setdefault("DATABASE_URL", database)
        os.environ.setdefault("REDIS_URL", redis)
        # More is said than usually, so that more can be found in it (tests/leaks.py).
        os.environ.setdefault("LOG_LEVEL", "INFO")
        # Everybody in the tests comes from one address; every user is new, so limits of users stay.
        for limit in ("LOGIN_ADDRESS", "REGISTER", "TOKEN", "SHARE"):
            os.environ.setdefault(f"LIMIT_{limit}", "0")

    def stop(self) -> None:
        """End what was started and remove its files."""
        self.supervisor.stop()
        shutil.rmtree(Layout(self.data_dir).services, ignore_errors=True)
        shutil.rmtree(self.data_dir)
