"""A finished report as a download."""

from collections.abc import AsyncIterator

from django.http import StreamingHttpResponse

from accounts.models import User
from conversations import selectors
from conversations.models import Report
from conversations.reports.documents import FORMS
from conversations.reports.sealing import title_of
from conversations.services import reports
from conversations.transfer import filenames

# Bytes that are handed over at a time.
PIECE = 256 * 1024


def own(user: User, report: Report) -> StreamingHttpResponse:
    """For who had it made. Raises Problem `conflict` for one that is not completed."""
    response = document(report)
    reports.record_download(user=user, report=report.id)
    return response


def document(report: Report) -> StreamingHttpResponse:
    """Raises Problem `conflict` for one that is not completed."""
    return attachment(selectors.report_document(report), report.form, title_of(report))


def attachment(content: bytes, form: str, title: str | None) -> StreamingHttpResponse:
    """A document as a file, which no browser shows as a page of ours."""
    response = StreamingHttpResponse(_sent(content), content_type=FORMS[form].media_type)
    response["Content-Length"] = str(len(content))
    response["Content-Disposition"] = filenames.attachment(title, form)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _sent(content: bytes) -> AsyncIterator[bytes]:
    for place in range(0, len(content), PIECE):
        yield content[place : place + PIECE]
