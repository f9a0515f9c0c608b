"""What the log tells of beside the rows that a fold gives: which message carries a file, and the entries of search."""

from collections.abc import Iterable
from uuid import UUID

from conversations import event_types, keys
from conversations.models import Event, File, SearchEntry
from conversations.search import index, reindexing
from conversations.search.words import VERSION

BATCH = 500


def astray_files(conversation: UUID) -> dict[UUID, UUID | None]:
    """Files that the wrong message carries, or none: the right one by the log, by file."""
    carrying = ("message:new", "run:end")
    said = Event.objects.filter(conversation=conversation, type__in=carrying, data__has_key="parts").order_by("seq")
    carriers = {
        UUID(part["id"]): UUID(data["message"])
        for data in said.values_list("data", flat=True)
        for part in data["parts"] or ()
    }
    found = File.objects.filter(conversation=conversation).values_list("id", "message")
    return {id_: carriers.get(id_) for id_, message in found if message != carriers.get(id_)}


def astray_entries(conversation: UUID) -> list[int]:
    """Numbers of events whose entry is missing, one too many, or of other words. Those by rules of before are not
    looked at: `manage.py reindex_search` replaces them. Nothing is known without the key."""
    key = keys.load([conversation]).get(conversation)
    if key is None:
        return []
    found = {row.seq: row for row in SearchEntry.objects.filter(conversation=conversation).iterator(BATCH)}
    astray = []
    texts = Event.objects.filter(conversation=conversation, type__in=index.SEARCHED).order_by("seq")
    for event in texts.iterator(BATCH):
        data = event_types.unseal(event.type, event.data, key, conversation, event.id)
        hashes = index.hashed(event.type, data, key)
        entry = found.pop(event.seq, None)
        if not _agree(entry, None if hashes is None else index.entry(event, hashes)):
            astray.append(event.seq)
    return sorted([*astray, *found])


def _agree(found: SearchEntry | None, expected: SearchEntry | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found.version != VERSION or _told(found) == _told(expected)


def _told(entry: SearchEntry) -> tuple[UUID, str, list[int]]:
    return entry.event, str(entry.message or ""), sorted(entry.words)


def put_right(conversation: UUID) -> None:
    """Bring files and entries to what the log says."""
    for file, message in astray_files(conversation).items():
        File.objects.filter(id=file).update(message=message)
    _renew(conversation, astray_entries(conversation))


def _renew(conversation: UUID, seqs: Iterable[int]) -> None:
    SearchEntry.objects.filter(conversation=conversation, seq__in=seqs).delete()
    reindexing.reindex(conversation)
