"""Verbs on exports: what leaves the house is audited."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock, metrics
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import keys, queue
from conversations.models import Conversation, Export, ExportItem

ROUTE = "POST exports"
# Workers that may give up on an export, one after the other (a restart counts too).
ATTEMPTS = 20
# Items that one statement inserts.
BATCH = 1000


def record_export(*, user: User, conversation: UUID, form: str) -> None:
    """Leave the trace that `user` took a conversation away as a file."""
    audit.record(actor=user.id, action="conversation.exported", target=("conversation", conversation), format=form)


@transaction.atomic
def start(*, user: User, conversations: Iterable[UUID] | None = None, idempotency_key: str | None = None) -> Export:
    """Have all conversations of `user` exported in the background, or those that are named.

    Raises Problem `not_found` for one that is not theirs, `quota_exceeded` beyond EXPORTS_MAX,
    `idempotency_mismatch`; `conflict` where the export that the key began is gone again.
    """
    wanted = None if conversations is None else set(conversations)
    body = wanted and sorted(map(str, wanted))
    once = Once(user, ROUTE, idempotency_key, body) if idempotency_key else None
    before = once.claim() if once else None
    if before:
        return Export.objects.filter(id=before).first() or _gone()
    # Locked, so that two requests do not both find room for the last one.
    User.objects.select_for_update().get(id=user.id)
    if Export.objects.filter(user=user, expires_at__gt=Now()).count() >= settings.EXPORTS_MAX:
        raise Problem("quota_exceeded", f"At most {settings.EXPORTS_MAX} exports are kept; delete one first.")
    rows = Conversation.objects.filter(members__user=user)
    found = rows if wanted is None else rows.filter(id__in=wanted)
    if wanted is not None and found.count() < len(wanted):
        raise Problem("not_found", "One of the conversations is not there.")
    export = _start(user, found, by_staff=False)
    if once:
        once.remember(export.id)
    return export


def _gone() -> Export:
    raise Problem("conflict", "The export that this key began was deleted.")


@transaction.atomic
def start_as_staff(*, staff: User, conversations: QuerySet[Conversation]) -> Export:
    """Have any conversations exported, for who may read their content."""
    return _start(staff, conversations, by_staff=True)


def _start(user: User, conversations: QuerySet[Conversation], *, by_staff: bool) -> Export:
    now = clock.now()
    export = Export(id=new_id(), user=user, by_staff=by_staff, created_at=now)
    export.expires_at = now + timedelta(hours=settings.EXPORT_KEEP_HOURS)
    export.data_key = keys.keyring().wrap(DataKey.generate(), export.id.hex)
    ids = conversations.order_by("id").values_list("id", flat=True).distinct()
    export.total = ids.count()
    export.save(force_insert=True)
    rows = (ExportItem(export=export, conversation_id=id_) for id_ in ids.iterator(chunk_size=BATCH))
    ExportItem.objects.bulk_create(rows, batch_size=BATCH)
    queue.enqueue(queue.EXPORT, export=str(export.id))
    audit.record(actor=user.id, action="export.started", target=("export", export.id), conversations=export.total)
    return export


@transaction.atomic
def remove(*, user: User, export: UUID) -> None:
    """Cancel an export, or delete what it made. Raises Problem `not_found`."""
    if not Export.objects.filter(id=export, user=user).delete()[0]:
        raise Problem("not_found")
    audit.record(actor=user.id, action="export.removed", target=("export", export))


def record_download(*, user: User, export: UUID) -> None:
    audit.record(actor=user.id, action="export.downloaded", target=("export", export))


def erase(conversation: UUID) -> None:
    """Delete every export that holds this conversation: it is in clear for whoever downloads it."""
    Export.objects.filter(items__conversation=conversation).delete()


def mend() -> None:
    """Delete what has expired; enqueue again what no worker has in hand; give up what nobody could finish."""
    Export.objects.filter(expires_at__lte=Now()).delete()
    idle = Export.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), status__in=Export.ACTIVE)
    for export in idle.filter(fence__lt=ATTEMPTS):
        queue.enqueue(queue.EXPORT, once=True, export=str(export.id))
    given_up = idle.filter(fence__gte=ATTEMPTS).update(status=Export.Status.FAILED, ended_at=Now())
    metrics.exports.labels("failed").inc(given_up)
