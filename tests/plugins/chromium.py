"""Browser tests drive the machine's own Chromium; without one they stand aside, and the last lines say so."""

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
REASON = "no Chromium"


def find_chromium() -> str | None:
    """Return the path of a Chromium: the one in CHROMIUM, or the first on PATH."""
    given = os.environ.get("CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    """Turn a CHROMIUM that is not there into an error: a setting that does nothing would hide tests."""
    given = os.environ.get("CHROMIUM")
    if given and not shutil.which(given):
        raise pytest.UsageError(f"CHROMIUM is {given!r}, which is no program; set it to one, or unset it.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where no Chromium is found."""
    if find_chromium():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=REASON))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what stood aside, and how to change that."""
    absent = [report for report in terminalreporter.stats.get("skipped", []) if REASON in str(report.longrepr)]
    if absent:
        terminalreporter.write_line(
            f"{len(absent)} browser tests stood aside: no Chromium was found. "
            "`apt-get install chromium`, or set CHROMIUM to one.",
            yellow=True,
        )


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium to drive."""
    found = find_chromium()
    assert found, "Only tests with the marker `browser` may ask for Chromium."
    return found
