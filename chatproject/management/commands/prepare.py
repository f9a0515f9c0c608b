"""`manage.py prepare`: an up-to-date database with somebody who can log in to the admin; `serve` runs it."""

import secrets
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.services.users import create_first_admin


class Command(BaseCommand):
    """Applies migrations, and makes the first administrator where there is none."""

    help = "Brings the database up to date and makes the first administrator; prints the password this once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare the database; safe to repeat."""
        call_command("migrate", verbosity=0, interactive=False)
        password = secrets.token_urlsafe(12)
        if create_first_admin(password):
            self.stdout.write(f"Admin user: admin, password: {password} (shown only this once)")
