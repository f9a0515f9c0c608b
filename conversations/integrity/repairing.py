"""Making rows what the log says: only those that differ are written.

A long log is folded before the conversation is locked; under the lock come only the events since, and the
comparison. What is not in the log survives: leases, read markers, stored pieces of running answers.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Model, QuerySet

from conversations.fold import Fold
from conversations.integrity import rows
from conversations.integrity.differences import Difference, compare
from conversations.models import Conversation, Event, Feedback, Member, Message, Run, RunChunk
from conversations.snapshots import states

MODELS: dict[str, type[Model]] = {"message": Message, "run": Run, "feedback": Feedback}


def rebuild(conversation: UUID) -> list[Difference]:
    """Bring all rows of a conversation to what its log says; what was different.

    Of an erased one the log tells nothing any more: nothing is changed. Raises Conversation.DoesNotExist, Gap
    where the log has a hole, and OperationalError where the row stays locked.
    """
    row = Conversation.objects.get(id=conversation)
    if row.erased:
        return []
    fold = Fold(None, window=None, read=states.reader(conversation))
    states.advance(fold, conversation, row.last_seq)
    return _write(fold, conversation)


def resynchronise(conversation: UUID) -> list[Difference]:
    """The same for what a snapshot holds, from the last good one and the events since; what was different.

    Older messages and ended runs are not looked at.
    """
    row = Conversation.objects.get(id=conversation)
    return [] if row.erased else _write(states.fold_at(conversation, row.last_seq), conversation)


@transaction.atomic
def _write(fold: Fold, conversation: UUID) -> list[Difference]:
    row = Conversation.objects.select_for_update().get(id=conversation)
    if row.erased:
        return []
    last = Event.objects.filter(conversation=conversation).aggregate(seq=Max("seq"), at=Max("at"))
    states.advance(fold, conversation, last["seq"] or 0)
    state = fold.state()
    differences = compare(
        state, rows.read(conversation) if fold.window is None else rows.read_like(state, conversation)
    )
    for difference in sorted(differences, key=lambda one: not one.is_surplus):
        _apply(conversation, difference)
    RunChunk.objects.filter(run__conversation=conversation, run__ended_at__isnull=False).delete()
    Conversation.objects.filter(id=conversation).update(updated_at=last["at"])
    return differences


def _apply(conversation: UUID, difference: Difference) -> None:
    """Surplus rows go first, so that they stand in nobody's way."""
    if difference.table == "conversation":
        field = "owner_id" if difference.field == "owner" else difference.field
        _update(Conversation.objects.filter(id=conversation), field, difference.expected)
        return
    found = _found(conversation, difference)
    if difference.is_surplus:
        found.delete()
    elif difference.field:
        _update(found, difference.field, difference.expected)
    elif difference.table == "member":
        Member(conversation_id=conversation, user_id=UUID(difference.id), **difference.expected).save()
    else:
        rows.row_of(MODELS[difference.table], conversation, difference.expected).save(force_insert=True)


def _found(conversation: UUID, difference: Difference) -> QuerySet[Any]:
    if difference.table == "member":
        return Member.objects.filter(conversation=conversation, user_id=difference.id)
    if difference.table == "feedback":
        message, user = difference.id.split("/", 1)
        return Feedback.objects.filter(conversation=conversation, message=message, user=user)
    return MODELS[difference.table]._default_manager.filter(id=difference.id, conversation=conversation)


def _update(found: QuerySet[Any], field: str, value: Any) -> None:
    found.update(**{field: found.model._meta.get_field(field).to_python(value)})
