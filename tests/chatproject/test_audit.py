"""What CI makes of pip-audit's report."""

from typing import Any

from tests.audit import read, verdict

SOUND: dict[str, Any] = {"name": "django", "version": "5.2.19", "vulns": []}
WEAK: dict[str, Any] = {
    "name": "daphne",
    "version": "4.2.1",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2026-44545"], "fix_versions": ["4.2.2"]}],
}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}


def said(*dependencies: dict[str, Any]) -> tuple[int, str]:
    return verdict(read({"dependencies": list(dependencies)}))


def test_a_weakness_fails() -> None:
    code, text = said(SOUND, WEAK)
    assert code == 1
    assert "daphne 4.2.1: PYSEC-1" in text


def test_none_passes_and_says_of_how_many() -> None:
    assert said(SOUND, UNKNOWN) == (0, "No known weakness in 1 packages; not known to the service: ours.")


def test_where_nobody_could_be_asked_that_is_said() -> None:
    code, text = said(UNKNOWN)
    assert (code, text.split(":")[0]) == (0, "NOT AUDITED")
