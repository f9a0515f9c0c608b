"""`manage.py new_epoch`: for the day after a restored backup. Clients begin anew instead of trusting old cursors."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from conversations.services import maintenance


class Command(BaseCommand):
    """Where it is killed, go on with `--after` and the last id that it printed; from the start is harmless too."""

    help = "Gives conversations a new epoch, so that every client is answered `resync` and starts from a snapshot."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--conversation", type=UUID, help="only this one")
        parser.add_argument("--after", type=UUID, help="only those after this id (in order of creation)")

    def handle(self, *args: Any, **options: Any) -> None:
        for last in maintenance.renew_epochs(conversation=options["conversation"], after=options["after"]):
            self.stdout.write(f"done up to {last}")
