"""Models and migrations say the same."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_migrate


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    """Here, rather than as a command beside the tests, because it looks into a database."""
    call_command("makemigrations", check=True, dry_run=True)


@pytest.fixture
def limits_meanwhile() -> Iterator[list[str]]:
    """How long a statement may take while migrations are done."""
    found: list[str] = []

    def look(**_: object) -> None:
        found.append(statement_timeout())

    pre_migrate.connect(look)
    yield found
    pre_migrate.disconnect(look)


def statement_timeout() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_migration_may_take_its_time(limits_meanwhile: list[str]) -> None:
    before = statement_timeout()
    call_command("migrate", verbosity=0)
    assert {*limits_meanwhile} == {"0"}
    assert statement_timeout() == before != "0"
