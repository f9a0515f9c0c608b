"""`manage.py migrate`: Django's own, which may take its time."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections

# Limits of requests and jobs (settings/database.py). A statement over a large table takes longer, and between two of
# them Django thinks; that of locks stays: whoever waits for one holds up everybody behind.
LIMITS = ("statement_timeout", "idle_in_transaction_session_timeout")


class Command(migrate.Command):
    """Takes the limits of time off the connection for as long as the migrations last."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET {limit} = 0" for limit in LIMITS))
        super().handle(*args, **options)
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"RESET {limit}" for limit in LIMITS))
