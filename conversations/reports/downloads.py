"""A finished report as a download."""

from django.http import HttpResponse

from accounts.models import User
from conversations import selectors
from conversations.models import Report
from conversations.reports.documents import FORMS
from conversations.reports.sealing import title_of
from conversations.services import reports
from conversations.transfer import filenames


def own(user: User, report: Report) -> HttpResponse:
    """For who had it made. Raises Problem `conflict` for one that is not completed."""
    response = document(report)
    reports.record_download(user=user, report=report.id)
    return response


def document(report: Report) -> HttpResponse:
    """Raises Problem `conflict` for one that is not completed."""
    return attachment(selectors.report_document(report), report.form, title_of(report))


def attachment(content: bytes, form: str, title: str | None) -> HttpResponse:
    """A document as a file, which no browser shows as a page of ours."""
    response = HttpResponse(content, content_type=FORMS[form].media_type)
    response["Content-Disposition"] = filenames.attachment(title, form)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
