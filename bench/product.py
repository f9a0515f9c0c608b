"""The product's database and Redis, made for one measurement and removed after it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command

from tests.plugins.services import TestServices


@contextmanager
def running() -> Iterator[TestServices]:
    """Django on an empty, migrated PostgreSQL: embedded ones, or those of DATABASE_URL and REDIS_URL."""
    services = TestServices()
    try:
        services.start()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
        django.setup()
        logging.disable(logging.WARNING)
        call_command("migrate", verbosity=0)
        yield services
    finally:
        services.stop()
