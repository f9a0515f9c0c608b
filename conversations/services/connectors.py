"""Verbs on connectors, for staff with Django's permissions. Each leaves an audit entry, in the transaction of the act;
processes learn of it within a second (connectors/directory.py)."""

import asyncio
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.assistants.base import AssistantError
from conversations.connectors import cleaning, directory
from conversations.connectors.kind import table
from conversations.models import Connector

CREATE_ROUTE = "POST connectors"
CHECK_SECONDS = 20.0
# An advisory lock ("CONN" in hexadecimal).
LOCK_ID = 0x434F4E4E


def create(*, staff: User, given: Mapping[str, Any], idempotency_key: str | None = None) -> Connector:
    """Connect something. `given` are fields of `cleaning.FIELDS`; `name`, `kind` and `config` must be there.

    Raises Problem `forbidden`, `invalid`, `conflict` (the name is taken), `idempotency_mismatch`.
    """
    require(staff, "add")
    once = Once(staff, CREATE_ROUTE, idempotency_key, dict(given)) if idempotency_key else None
    row = Connector(id=new_id())
    with transaction.atomic():
        before = once.claim() if once else None
        if before:
            return Connector.objects.get(id=before)
        _alone()
        cleaning.fill(row, {"name": "", "kind": "", "config": {}, **given})
        _save(row)
        if once:
            once.remember(row.id)
        audit.record(actor=staff.id, action="connector.created", target=("connector", row.id), name=row.name)
    directory.look()
    return row


def change(*, staff: User, connector: Connector, changes: Mapping[str, Any], version: int | None = None) -> Connector:
    """Change some fields; of `secrets`, those that are named (null takes one away). With `version`, only the current
    one: Problem `stale`.

    Raises Problem `forbidden`, `not_found`, `invalid`, `conflict` (the name is taken).
    """
    require(staff, "change")
    with transaction.atomic():
        row = _locked(connector)
        if version is not None and version != row.version:
            raise Problem("stale", extra={"version": row.version})
        _alone()
        cleaning.fill(row, changes)
        row.version += 1
        row.health, row.health_detail, row.checked_at = "", "", None
        _save(row)
        named = sorted(changes)
        audit.record(actor=staff.id, action="connector.changed", target=("connector", row.id), fields=named)
    directory.look()
    return row


def delete(*, staff: User, connector: Connector) -> None:
    """Disconnect it; what it answered stays, and runs that ask for it fail as `assistant_unknown`.

    Raises Problem `forbidden`, `not_found`.
    """
    require(staff, "delete")
    with transaction.atomic():
        row = _locked(connector)
        audit.record(actor=staff.id, action="connector.deleted", target=("connector", row.id), name=row.name)
        row.delete()
    directory.look()


def check(*, staff: User, connector: Connector) -> Connector:
    """See whether it works, now, and keep what was found. Raises Problem `forbidden`, `not_found`."""
    require(staff, "change")
    health, detail = _outcome(connector)
    with transaction.atomic():
        row = _locked(connector)
        row.health, row.health_detail, row.checked_at = health, detail[:300], clock.now()
        row.save(update_fields=["health", "health_detail", "checked_at"])
        audit.record(actor=staff.id, action="connector.tested", target=("connector", row.id), health=health)
    return row


def require(user: User, act: str) -> None:
    """Raises Problem `forbidden` unless staff may do this with connectors: view, add, change, delete."""
    if not (user.is_staff and user.has_perm(f"conversations.{act}_connector")):
        raise Problem("forbidden", "Connectors are for staff with the permission.")


def _outcome(connector: Connector) -> tuple[str, str]:
    """How a check ends, and what it says. Never raises."""
    kind = table().get(connector.kind)
    if kind is None:
        return "failing", "There is no kind of this name here."
    try:
        found = asyncio.run(asyncio.wait_for(kind.check(directory.setup(connector)), CHECK_SECONDS))
    except AssistantError as error:
        return "failing", f"{error.code}: {error.message}"
    except TimeoutError:
        return "failing", "It did not answer in time."
    except Exception as error:
        return "failing", f"It failed unexpectedly ({type(error).__name__})."
    return "ok", found


def _alone() -> None:
    """One after the other, each knowing what was saved before: two that are checked at the same time would not see that
    they ask each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ID])
    directory.look()


def _locked(connector: Connector) -> Connector:
    row = Connector.objects.select_for_update().filter(id=connector.id).first()
    if row is None:
        raise Problem("not_found")
    return row


def _save(row: Connector) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Problem("conflict", errors={"name": ["Another connector has this name."]}) from error
