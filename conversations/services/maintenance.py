"""What whoever runs the service does to all conversations at once, in batches that may be killed and gone on with."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts import audit
from chatproject.lib import crypto
from chatproject.lib.ids import new_id
from conversations import keys, primary_keys
from conversations.models import Conversation
from conversations.models.conversation import WRAPPED_BY

BATCH = 500


def renew_epochs(*, conversation: UUID | None = None, after: UUID | None = None) -> Iterator[UUID]:
    """Give every conversation (or one, or those after an id) a new epoch, so that clients start anew.

    Gives the id up to which it is done, after each batch: what a killed command goes on from.
    """
    audit.record(actor=None, action="conversation.new_epoch", target=("conversation", conversation or "all"))
    while ids := _next(conversation, after):
        with transaction.atomic():
            list(Conversation.objects.filter(id__in=ids).order_by("id").select_for_update().values_list("id"))
            _set("epoch", "uuid", ids, [new_id() for _ in ids])
        after = ids[-1]
        yield after


def _next(conversation: UUID | None, after: UUID | None) -> list[UUID]:
    rows = Conversation.objects.filter(id=conversation) if conversation else Conversation.objects.all()
    if after:
        rows = rows.filter(id__gt=after)
    return list(rows.order_by("id").values_list("id", flat=True)[:BATCH])


def primary_keys_in_use() -> list[str]:
    """The ids of the primary keys that wrap the data key of some conversation. Cheap however many there are."""
    with connection.cursor() as cursor:
        cursor.execute(primary_keys.IN_USE)
        return [id_ for (id_,) in cursor.fetchall()]


def wrapped_otherwise() -> int:
    """How many data keys are wrapped by another than the first of ENCRYPTION_KEYS."""
    return sum(_wrapped_by(id_).count() for id_ in _others())


def rewrap() -> Iterator[int]:
    """Wrap those by the first of ENCRYPTION_KEYS, each batch in a transaction; gives how many after each.

    Readers find a key in either form. Raises CryptoError where the key that wraps one is missing.
    """
    for id_ in _others():
        while done := _rewrap_batch(id_):
            yield done


def connections_without(primary: str) -> int:
    """How many connections to this database are of processes that do not know a key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
            " AND starts_with(application_name, %s) AND strpos(application_name, %s) = 0",
            [settings.KEYS_MARK, crypto.marks([primary])],
        )
        return int(cursor.fetchone()[0])


@transaction.atomic
def _rewrap_batch(primary: str) -> int:
    rows = list(_wrapped_by(primary).order_by("id").select_for_update().values_list("id", "data_key")[:BATCH])
    ids = [id_ for id_, _ in rows]
    _set("data_key", "varchar", ids, [keys.rewrap(wrapped, id_) for id_, wrapped in rows])
    return len(ids)


def _others() -> list[str]:
    return [id_ for id_ in primary_keys_in_use() if id_ != keys.keyring().primary_id]


def _wrapped_by(primary: str) -> "QuerySet[Conversation]":
    return Conversation.objects.alias(by=WRAPPED_BY).filter(by=primary)


def _set(column: str, kind: str, ids: list[UUID], values: list[Any]) -> None:
    """One statement for a batch; only this column, so that nothing else of the rows is touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE conversations_conversation c SET {column} = v.value"  # noqa: S608
            f" FROM unnest(%s::uuid[], %s::{kind}[]) AS v(id, value) WHERE c.id = v.id",
            [ids, values],
        )
