"""Verbs on templates, for staff. Each leaves an audit entry, in the transaction of the act."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.models import Template
from conversations.templating.cleaning import fill

CREATE_ROUTE = "POST templates"


def create(*, staff: User, given: Mapping[str, Any], idempotency_key: str | None = None) -> Template:
    """Make a template. `given` are fields of `cleaning.FIELDS`; `slug` and `name` must be there.

    Raises Problem `forbidden`, `invalid`, `too_large`, `conflict` (the slug is taken), `idempotency_mismatch`.
    """
    require_staff(staff)
    once = Once(staff, CREATE_ROUTE, idempotency_key, dict(given)) if idempotency_key else None
    row = Template(id=new_id(), slug="", name="")
    with transaction.atomic():
        before = once.claim() if once else None
        if before:
            return Template.objects.get(id=before)
        fill(row, {"slug": "", "name": "", **given})
        _save(row)
        if once:
            once.remember(row.id)
        audit.record(actor=staff.id, action="template.created", target=("template", row.id))
    return row


def change(*, staff: User, template: Template, changes: Mapping[str, Any], version: int | None = None) -> Template:
    """Change some fields. With `version`, only the current one: Problem `stale`.

    Raises Problem `forbidden`, `not_found`, `invalid`, `too_large`, `conflict` (the slug is taken).
    """
    require_staff(staff)
    with transaction.atomic():
        row = _locked(template)
        if version is not None and version != row.version:
            raise Problem("stale", extra={"version": row.version})
        fill(row, changes)
        row.version += 1
        _save(row)
        audit.record(actor=staff.id, action="template.changed", target=("template", row.id), fields=sorted(changes))
    return row


def delete(*, staff: User, template: Template) -> None:
    """Delete a template; conversations that began from it stay as they are."""
    require_staff(staff)
    with transaction.atomic():
        row = _locked(template)
        audit.record(actor=staff.id, action="template.deleted", target=("template", row.id), slug=row.slug)
        row.delete()


def require_staff(user: User) -> None:
    """Raises Problem `forbidden`."""
    if not user.is_staff:
        raise Problem("forbidden", "Templates are written by staff.")


def _locked(template: Template) -> Template:
    row = Template.objects.select_for_update().filter(id=template.id).first()
    if row is None:
        raise Problem("not_found")
    return row


def _save(row: Template) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Problem("conflict", errors={"slug": ["Another template has this short name."]}) from error
