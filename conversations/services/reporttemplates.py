"""Verbs on templates of reports: one's own, and those that staff share with everybody."""

from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.db import transaction

from accounts import audit
from accounts.models import User
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.models import ReportTemplate
from conversations.reports import documents, placeholders
from conversations.reports.sealing import sealed, wrapped


@dataclass(frozen=True)
class Given:
    """A template as it comes in; `shared` is for staff."""

    key: str
    name: str
    content: bytes
    shared: bool = False


def read(file: IO[bytes]) -> bytes:
    """Raises Problem `too_large`."""
    content = file.read(settings.REPORT_TEMPLATE_MAX_BYTES + 1)
    if len(content) > settings.REPORT_TEMPLATE_MAX_BYTES:
        raise Problem("too_large", f"A template has at most {settings.REPORT_TEMPLATE_MAX_BYTES} bytes.")
    return content


@transaction.atomic
def keep(*, user: User, given: Given) -> ReportTemplate:
    """Make a template, or put it in the place of that of the same short name.

    Raises Problem `invalid` (with the line), `forbidden` (shared, by who is not staff), `unsupported`, `too_large`,
    `quota_exceeded`.
    """
    owner = _owner(user, shared=given.shared)
    kind = kind_of(given.content)
    placeholders.questions(documents.text_of(kind, given.content))
    row = ReportTemplate.objects.select_for_update().filter(user=owner, key=given.key).first()
    row = row or _new(owner, given.key)
    row.name, row.kind = given.name, kind
    row.content = sealed(row, "content", given.content)
    row.save()
    audit.record(actor=user.id, action="report_template.saved", target=("report_template", row.id), shared=given.shared)
    return row


def _new(owner: User | None, key: str) -> ReportTemplate:
    if ReportTemplate.objects.filter(user=owner).count() >= settings.REPORT_TEMPLATES_MAX:
        raise Problem("quota_exceeded", f"At most {settings.REPORT_TEMPLATES_MAX} templates are kept.")
    row = ReportTemplate(id=new_id(), user=owner, key=key)
    row.data_key = wrapped(DataKey.generate(), row)
    return row


def kind_of(content: bytes) -> str:
    """Raises Problem `invalid`, `unsupported`."""
    if content.startswith(b"PK\x03\x04"):
        return ReportTemplate.Kind.WORD
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Problem("unsupported", "This is neither Markdown in UTF-8 nor a DOCX file.")
    if not text.strip():
        raise Problem("invalid", errors={"content": ["This template is empty."]})
    return ReportTemplate.Kind.MARKDOWN


@transaction.atomic
def remove(*, user: User, key: str, shared: bool = False) -> None:
    """Delete a template; reports that were made from it stay. Raises Problem `not_found`, `forbidden`."""
    row = ReportTemplate.objects.filter(user=_owner(user, shared=shared), key=key).first()
    if row is None:
        raise Problem("not_found")
    audit.record(actor=user.id, action="report_template.removed", target=("report_template", row.id), shared=shared)
    row.delete()


def _owner(user: User, *, shared: bool) -> User | None:
    if shared and not user.is_staff:
        raise Problem("forbidden", "Templates for everybody are made by staff.")
    return None if shared else user
