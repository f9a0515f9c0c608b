"""`manage.py rotate_keys`: wraps every data key by the first of ENCRYPTION_KEYS, while the product goes on."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.services import factors
from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout
from chatproject.embedded.secretfiles import add_encryption_key, encryption_keys, is_given
from chatproject.lib.crypto import CryptoError
from conversations import keys
from conversations.services import maintenance, resealing

RESTART = (
    "Next: restart every process, then run `manage.py rotate_keys`. Until then nothing uses the new key.\n"
    "Back the new key up now, apart from the database."
)


class Command(BaseCommand):
    """Where it is killed, run it again: it goes on with what is left."""

    help = "Wraps all data keys by the first key of ENCRYPTION_KEYS; with --make, makes a new key first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--make", action="store_true", help="make a new key, and wrap nothing yet")
        parser.add_argument("--force", action="store_true", help="even if running processes do not know the first key")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError with one sentence where something has to be done first."""
        try:
            if options["make"]:
                self._make()
            else:
                self._rewrap(force=options["force"])
        except (StartError, CryptoError) as error:
            raise CommandError(str(error)) from error

    def _make(self) -> None:
        if is_given("encryption_keys"):
            self.stdout.write(f"Put this key in front of those in ENCRYPTION_KEYS:\n{encryption_keys()}")
        else:
            self.stdout.write(f"Made key {add_encryption_key(Layout(settings.DATA_DIR))}, the first from now on.")
        self.stdout.write(RESTART)

    def _rewrap(self, *, force: bool) -> None:
        first = keys.keyring().primary_id
        unaware = maintenance.connections_without(first)
        if unaware and not force:
            raise CommandError(
                f"{unaware} connections are of processes that do not know key {first}, and could read nothing that it "
                "wraps: restart them with the new ENCRYPTION_KEYS, then run this again."
            )
        total, done = maintenance.wrapped_otherwise(), 0
        self.stdout.write(f"{total} data keys to wrap by {first}.")
        for count in maintenance.rewrap():
            done += count
            self.stdout.write(f"{done} of {max(done, total)}")
        factors.reseal()
        resealing.reseal()
        self._say_what_is_needed(first)

    def _say_what_is_needed(self, first: str) -> None:
        others = [id_ for id_ in keys.keyring().ids if id_ not in maintenance.primary_keys_in_use() and id_ != first]
        self.stdout.write(
            f"Done: every data key is wrapped by {first}, every second factor and connector's secret sealed by it."
        )
        if others:
            self.stdout.write(
                f"Not needed by the database any more: {', '.join(others)}. Backups of before need them: keep them "
                "as long as those."
            )
