"""Reports for those who asked for them, and the templates that they may use."""

from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import Report, ReportFile, ReportTemplate
from conversations.reports.builtin import BUILTIN
from conversations.reports.sealing import opened


def reports(user: User) -> QuerySet[Report]:
    """The reports of a user."""
    return Report.objects.filter(user=user).select_related("asked")


def report_for(user: User, id_: UUID) -> Report:
    """One of them. Raises Problem `not_found`."""
    found = reports(user).filter(id=id_).first()
    if found is None:
        raise Problem("not_found")
    return found


def report_document(report: Report) -> bytes:
    """What was made. Raises Problem `conflict` for one that is not completed."""
    file = ReportFile.objects.filter(report=report).first()
    if file is None:
        raise Problem("conflict", "This report is not completed.")
    return opened(report, "file", file.data)


def report_templates(user: User) -> QuerySet[ReportTemplate]:
    """One's own templates, and those that are shared."""
    return ReportTemplate.objects.filter(Q(user=user) | Q(user=None))


def report_template(user: User, key: str) -> tuple[str, bytes]:
    """Kind and content of a template: one's own, else a shared one, else ours. Raises Problem `not_found`."""
    row = report_templates(user).filter(key=key).order_by(F("user").asc(nulls_last=True)).first()
    if row:
        return row.kind, opened(row, "content", row.content)
    if key not in BUILTIN:
        raise Problem("not_found", "There is no such template.")
    return ReportTemplate.Kind.MARKDOWN, BUILTIN[key].encode()
