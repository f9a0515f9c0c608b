"""The verb that brings conversations from files. All of a file is imported in one transaction, or nothing."""

import hashlib
from collections.abc import Iterator
from typing import IO, cast
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock, metrics
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import eventlog, keys
from conversations.actors import SYSTEM
from conversations.appends import Draft, Record
from conversations.models import Conversation, Member
from conversations.services import attaching, files
from conversations.services.conversations import AlreadyCreated
from conversations.transfer import sources
from conversations.transfer.documents import refusal
from conversations.transfer.labels import Labels
from conversations.transfer.sources import Source
from conversations.transfer.story import Story

# Why a run that had not ended in its file is interrupted here.
NEVER_ENDED = {"code": "imported", "message": "This answer was not finished when the conversation was exported."}
ROUTE = "POST conversations/import"
# Milliseconds without a statement after which an import is taken for dead.
IDLE_MS = 60_000


def import_file(*, user: User, file: IO[bytes], idempotency_key: str | None = None) -> list[UUID]:
    """Make new conversations of `user` from what a file holds; their ids. docs/export-import.md has the rules.

    Raises Problem `invalid` (with the place in the file), `too_large`, `idempotency_mismatch`, or AlreadyCreated
    with the first of the conversations where the key was used for the same file.
    """
    once = Once(user, ROUTE, idempotency_key, _digest(file)) if idempotency_key else None
    with transaction.atomic():
        _be_patient()
        before = once.claim() if once else None
        if before:
            raise AlreadyCreated(before)
        done = [_import(user, source) for source in _bounded(sources.read(file, user))]
        if not done:
            raise refusal("There is no conversation in the file.")
        if once:
            once.remember(done[0])
    return done


def _be_patient() -> None:
    """Reading a long conversation may take longer than PostgreSQL waits for other transactions to go on. This one
    locks nothing that anybody else looks for."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}")


def _bounded(found: Iterator[Source]) -> Iterator[Source]:
    for number, source in enumerate(found):
        if number == settings.IMPORT_MAX_CONVERSATIONS:
            raise Problem("too_large", f"A file has at most {settings.IMPORT_MAX_CONVERSATIONS} conversations.")
        yield source


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    return digest.hexdigest()


def _import(user: User, source: Source) -> UUID:
    conversation = Conversation(id=new_id(), owner=user)
    key = DataKey.generate()
    conversation.data_key = keys.wrap(key, conversation.id)
    target = files.Target(user, conversation.id, key)
    eventlog.import_log(conversation, key, _records(source, Labels(conversation.id, user), target), by=user.id)
    if not conversation.last_seq:
        raise refusal("There is no event in the file.")
    Member.objects.filter(conversation=conversation, user=user).update(read_seq=conversation.last_seq)
    about = ("conversation", conversation.id)
    audit.record(actor=user.id, action="conversation.imported", target=about, format=source.form)
    metrics.imports.labels(source.form).inc()
    return conversation.id


def _records(source: Source, labels: Labels, target: files.Target) -> Iterator[Record]:
    """The events of a file as they are to be written, and an end for what had none. What its messages carry is there
    before them."""
    _restore_files(source, labels, target)
    story = Story()
    for place, line in source.events:
        try:
            story.tell(line)
            record = labels.record(line)
            if record.draft.data.get("parts"):
                record.draft.data["parts_tokens"] = attaching.tokens(record.draft.data["parts"])
        except (ValueError, Problem) as error:
            raise sources.placed(place, error) from error
        yield record
    for run, message in story.unfinished():
        yield Record(_interrupted(labels, run, message), SYSTEM, max(story.at, clock.now()), imported=False)


def _restore_files(source: Source, labels: Labels, target: files.Target) -> None:
    seen: set[str] = set()
    for place, carried in source.files:
        head = carried.head
        if head.id in seen:
            raise sources.placed(place, ValueError("this file was there before"))
        seen.add(head.id)
        given = files.Upload(cast(IO[bytes], carried.content), head.size, head.name)
        try:
            files.restore(target=target, given=given, id=labels.of(head.id), at=head.created_at)
        except Problem as error:
            raise sources.placed(place, error) from error


def _interrupted(labels: Labels, run: str, message: str | None) -> Draft:
    ids = {"run": str(labels.of(run)), "message": str(labels.of(message)) if message else None}
    return Draft("run:end", {**ids, "status": "interrupted", "text": "", "usage": None, "error": NEVER_ENDED})
