"""Looking at one conversation as a whole: its log, the rows that came of it, and its snapshots.

All in one transaction that sees one moment and locks nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from chatproject.lib.clock import rfc3339
from chatproject.lib.database import is_away
from conversations.fold import Fold
from conversations.fold.state import is_usable
from conversations.integrity import belongings, rows
from conversations.integrity.differences import Difference, compare
from conversations.integrity.report import Finding, Report
from conversations.models import Conversation, Event, RunChunk, Snapshot
from conversations.snapshots import states
from conversations.snapshots.checksums import checksum


def inspect(conversation: UUID) -> Report:
    """Everything that is wrong with a conversation. Raises Conversation.DoesNotExist."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return _Inspection(Conversation.objects.get(id=conversation)).report()


class _Inspection:
    def __init__(self, row: Conversation) -> None:
        self.row = row
        self._report = Report(row.id, row.last_seq)
        self._at: datetime | None = None
        read = states.reader(row.id)
        self._whole: Fold | None = Fold(None, window=None, read=read)
        snapshots = Snapshot.objects.filter(conversation=row)
        self._seqs = set(snapshots.values_list("seq", flat=True))
        self._cut: Fold | None = Fold(None, window=settings.SNAPSHOT_WINDOW, read=read) if self._seqs else None
        if row.erased:
            self._whole = self._cut = None

    def report(self) -> Report:
        for event in self._events():
            self._look_at(event)
        self._check_head()
        if self._whole:
            self._check_rows(self._whole)
            self._check_belongings()
        return self._report

    def _events(self) -> Iterator[Event]:
        after, found = 0, Event.objects.filter(conversation=self.row).order_by("seq")
        while page := list(found.filter(seq__gt=after)[: states.PAGE]):
            yield from page
            after = page[-1].seq

    def _look_at(self, event: Event) -> None:
        expected = self._report.events + 1
        if event.seq != expected:
            self._report.add("hole", f"after {self._report.events} comes {event.seq}")
            self._whole = self._cut = None
        if self._at and event.at < self._at:
            self._report.add("time", f"event {event.seq} is older than the one before")
        self._at, self._report.events = event.at, event.seq
        self._fold(event)
        if event.seq in self._seqs:
            self._check_snapshot(event.seq)

    def _fold(self, event: Event) -> None:
        try:
            for fold in filter(None, (self._whole, self._cut)):
                fold.apply(event)
        except Exception as error:
            if is_away(error):
                raise
            self._report.add("event", f"event {event.seq} cannot be applied ({type(error).__name__})")
            self._whole = self._cut = None

    def _check_snapshot(self, seq: int) -> None:
        row = Snapshot.objects.get(conversation=self.row, seq=seq)
        if row.checksum != checksum(row.conversation_id, seq, row.state):
            self._report.add("snapshot", f"the checksum of snapshot {seq} does not match", seq)
        elif self._cut and is_usable(row.state, settings.SNAPSHOT_WINDOW) and row.state != self._cut.state():
            self._report.add("snapshot", f"snapshot {seq} is not what the log says", seq)

    def _check_head(self) -> None:
        if self.row.last_seq != self._report.events:
            self._report.add("head", f"the head is {self.row.last_seq}, the last event {self._report.events}")
        if self._at and self.row.updated_at != self._at:
            self._report.add("drift", f"updated_at is {rfc3339(self.row.updated_at)}, by the log {rfc3339(self._at)}")
        if self.row.checkpoint_seq > max(self.row.last_seq, self._report.events):
            self._report.add("checkpoint", f"a snapshot of {self.row.checkpoint_seq} is told of, which cannot be")
        for seq in sorted(self._seqs):
            if seq > self._report.events:
                self._report.add("snapshot", f"snapshot {seq} is beyond the log", seq)

    def _check_rows(self, fold: Fold) -> None:
        for difference in compare(fold.state(), rows.read(self.row.id)):
            kind = "orphan" if _is_orphan(difference) else "drift"
            self._report.findings.append(Finding(kind, str(difference), difference))
        left = RunChunk.objects.filter(run__conversation=self.row, run__ended_at__isnull=False)
        for run in left.order_by().values_list("run_id", flat=True).distinct():
            self._report.add("chunks", f"run {run} has ended and still has stored pieces")

    def _check_belongings(self) -> None:
        for file, message in belongings.astray_files(self.row.id).items():
            told = f"in message {message}" if message else "in no message"
            self._report.add("file", f"file {file} is by the log {told}")
        for seq in belongings.astray_entries(self.row.id):
            self._report.add("search", f"the text of event {seq} cannot be found, or by other words")


def _is_orphan(difference: Difference) -> bool:
    """A run or a message that no event tells of, or an active run that is none."""
    surplus = difference.is_surplus and difference.table in ("run", "message")
    return surplus or (difference.table, difference.field) == ("conversation", "active_run")
