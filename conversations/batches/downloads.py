"""The answers of a batch as a download, in any of the forms, at any time."""

from collections.abc import AsyncIterator, Iterator

from django.http import StreamingHttpResponse

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.batches.results import FORMS
from conversations.batches.sealing import opened
from conversations.models import Batch
from conversations.services import batches
from conversations.transfer import filenames


def download(user: User, batch: Batch, form: str) -> StreamingHttpResponse:
    """`batch` with the numbers of its rows; `form` is one of FORMS."""
    batches.record_download(user=user, batch=batch.id, form=form)
    response = StreamingHttpResponse(_sent(FORMS[form].write(batch)), content_type=FORMS[form].media_type)
    response["Content-Disposition"] = filenames.attachment(opened(batch, "title", batch.title), form)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await in_thread(next, pieces, None)) is not None:
        yield piece
