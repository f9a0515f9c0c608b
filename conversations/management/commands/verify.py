"""`manage.py verify`: does everything that is stored agree?"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatproject.lib.ids import parse_id
from conversations.integrity.report import Report
from conversations.models import Conversation
from conversations.services import integrity

EVERY = 100


class Command(BaseCommand):
    help = (
        "Compare logs, rows and snapshots of all conversations, or of one. Ends with 1 where something is wrong"
        " (with --repair: where something is left). Findings go to the output, progress to the error output."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--conversation", metavar="ID", help="only this one")
        parser.add_argument("--repair", action="store_true", help="make right what the log can make right")

    def handle(self, *args: Any, conversation: str | None, repair: bool, **options: Any) -> None:
        wrong = done = 0
        for id_ in _wanted(conversation):
            try:
                report = integrity.verify(conversation=id_, repair=repair)
            except Conversation.DoesNotExist:
                continue
            done += 1
            wrong += bool(report.findings)
            self._tell(report)
            if done % EVERY == 0:
                self.stderr.write(f"{done} conversations, {wrong} with findings")
        self.stderr.write(f"{done} conversations verified, {wrong} with findings")
        if wrong:
            raise CommandError(f"{wrong} of {done} conversations are not as they should be.", returncode=1)

    def _tell(self, report: Report) -> None:
        if report.findings:
            self.stdout.write(f"{report.conversation} score {report.score}")
        for finding in report.findings:
            self.stdout.write(f"  {finding}")


def _wanted(conversation: str | None) -> Iterator[UUID]:
    """Ids, in order. Raises CommandError for one that is none."""
    if conversation is None:
        yield from Conversation.objects.order_by("id").values_list("id", flat=True).iterator()
        return
    id_ = parse_id(conversation)
    if id_ is None or not Conversation.objects.filter(id=id_).exists():
        raise CommandError(f"There is no conversation {conversation}.")
    yield id_
