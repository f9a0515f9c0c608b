"""The audit trail: written within the transaction of the act, so that neither exists alone; never changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import AuditEntry
from chatproject.lib import clock
from chatproject.lib.caller import caller


def record(
    *, actor: UUID | None, action: str, target: tuple[str, object], at: datetime | None = None, **detail: Any
) -> None:
    """Record that `actor` did `action` on `target` (kind, id); `detail` must hold no message text and no secret.

    From where, and in which request, is known (`chatproject.lib.caller`).
    """
    who = caller()
    kind, target_id = target
    AuditEntry.objects.create(
        at=at or clock.now(),
        actor_id=actor,
        action=action,
        target_type=kind,
        target_id=str(target_id),
        detail=detail,
        address=who.address,
        request_id=who.request_id,
    )
