"""A finished export as an answer: a ZIP archive, put together while it is sent."""

from collections.abc import AsyncIterator, Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.models import Export
from conversations.services import exports
from conversations.transfer import bulk, filenames, zips


def download(user: User, export: Export) -> StreamingHttpResponse:
    """Raises Problem `conflict` for one that is not completed."""
    if export.status != Export.Status.COMPLETED:
        raise Problem("conflict", "This export is not completed.")
    exports.record_download(user=user, export=export.id)
    response = StreamingHttpResponse(_sent(zips.stream(files(export))), content_type="application/zip")
    name = f"conversations-{export.created_at:%Y-%m-%d}.zip"
    response["Content-Disposition"] = str(content_disposition_header(True, name))
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def files(export: Export) -> Iterator[tuple[str, Iterator[bytes]]]:
    """One per conversation; with the end of its id, because titles are not unique."""
    for item, title in selectors.exported_items(export):
        name = filenames.safe(title, "jsonl").removesuffix(".jsonl")
        yield f"{name} {item.conversation_id.hex[-12:]}.jsonl", bulk.pieces(export, item)


async def _sent(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await in_thread(next, pieces, None)) is not None:
        yield piece
