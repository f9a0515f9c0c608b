"""Erasing the content of a conversation for good: its key is destroyed, and what is derived is emptied.

The log keeps its numbers, types, authors and times. Backups and write-ahead logs of before hold the wrapped
key until they expire (docs/lifecycle.md).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from accounts.services import attempts, idempotency
from chatproject.lib.errors import Problem
from conversations import erasures, event_types, eventlog
from conversations.actors import SYSTEM, Actor
from conversations.appends import Append, Committed, Decision, Draft, State
from conversations.models import (
    Conversation,
    Event,
    Feedback,
    File,
    FileChunk,
    Member,
    Message,
    RoomState,
    Run,
    RunChunk,
    SearchEntry,
    Snapshot,
    Summary,
)
from conversations.permissions import Permission
from conversations.search import embedding
from conversations.services import batches, endings, exports, reports, shares

Eraser = Callable[[UUID], object]


def erase(*, user: User, conversation: UUID) -> Committed:
    """Erase a conversation for its owner; doing so again changes nothing.

    Writes `run:end` for what is running, and `conversation:update {erased: true}`. Raises Problem
    `not_found`, `forbidden`, `unavailable`, and `conversation_closed` where somebody else erased it before.
    """
    return _erase(conversation, Actor.of(user), user.id, lambda state: state.require(Permission.ERASE))


def erase_due(*, conversation: UUID, version: int) -> Committed:
    """Erase a conversation whose time has come, unless it was changed since `version` (Problem `conflict`)."""

    def check(state: State) -> None:
        if state.conversation.version != version:
            raise Problem("conflict")

    return _erase(conversation, SYSTEM, None, check)


def erase_of_leaver(*, user: User, conversation: UUID) -> Committed:
    """Erase a conversation whose owner closed their account. Raises Problem `not_found` where it is not theirs."""

    def check(state: State) -> None:
        member = state.member(user.id)
        if member is None or member.role != Member.Role.OWNER:
            raise Problem("not_found")

    return _erase(conversation, SYSTEM, user.id, check)


def erase_made(conversation: str) -> None:
    """The job that erases a conversation of our own making, which holds what was said in another one."""
    with suppress(Problem):
        _erase(UUID(conversation), SYSTEM, None, lambda state: None)


def _erase(conversation: UUID, actor: Actor, auditor: UUID | None, check: Callable[[State], None]) -> Committed:
    erased = Draft("conversation:update", dict(event_types.ERASED))
    audited = partial(audit.record, actor=auditor, action="conversation.erased", target=("conversation", conversation))

    def decide(state: State) -> Decision:
        check(state)
        stopped = endings.abandon(state)
        destroyed = partial(_destroy, conversation)
        return Decision([*stopped.drafts, erased], [*stopped.effects, destroyed, audited])

    done = eventlog.append_alone(Append(conversation, actor, f"erase:{conversation}", decide, main=erased))
    erasures.forget(conversation)
    return done


def _destroy(conversation: UUID) -> None:
    """Destroy the key and empty everything that was derived, in the transaction of the append."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {settings.ERASE_SECONDS * 1000}")
    Conversation.objects.filter(id=conversation).update(
        data_key="",
        title=None,
        title_event=None,
        metadata={},
        tags=[],
        status=Conversation.Status.ARCHIVED,
        agent=None,
        archived_at=Now(),
        erased_at=Now(),
        version=F("version") + 1,
    )
    for eraser in ERASERS:
        eraser(conversation)


def _events(conversation: UUID) -> None:
    """Fingerprints of requests go too: they are hashes of what was said."""
    Event.objects.filter(conversation=conversation).update(data=event_types.ERASED, fingerprint=None)


def _messages(conversation: UUID) -> None:
    """They stay as deleted ones, so that they can be counted."""
    Message.objects.filter(conversation=conversation).update(
        status=Message.Status.DELETED,
        text=None,
        text_event=None,
        parts=[],
        custom=None,
        versions=[],
        tokens={},
        extra={},
    )
    Feedback.objects.filter(conversation=conversation).delete()


def _runs(conversation: UUID) -> None:
    RunChunk.objects.filter(run__conversation=conversation).delete()
    Run.objects.filter(conversation=conversation).update(steps=[], error=None, end_event=None, context=None)


def _snapshots(conversation: UUID) -> None:
    Snapshot.objects.filter(conversation=conversation).delete()


def _summaries(conversation: UUID) -> None:
    Summary.objects.filter(conversation=conversation).delete()


def _files(conversation: UUID) -> None:
    FileChunk.objects.filter(file__conversation=conversation).delete()
    File.objects.filter(conversation=conversation).delete()


def _search_entries(conversation: UUID) -> None:
    SearchEntry.objects.filter(conversation=conversation).delete()


def _room_state(conversation: UUID) -> None:
    RoomState.objects.filter(conversation=conversation).delete()


# Each empties what one concept keeps of a conversation; whoever stores something new adds one.
ERASERS: Sequence[Eraser] = (
    _events,
    _messages,
    _runs,
    _snapshots,
    _summaries,
    _files,
    _search_entries,
    embedding.erase,
    _room_state,
    batches.erase,
    exports.erase,
    reports.erase,
    shares.erase,
    idempotency.forget_body,
    attempts.forget_about,
)
