"""The conversations in which rows of batches are asked: made when they are needed, once."""

from uuid import UUID

from conversations.batches.sealing import opened
from conversations.models import Batch, BatchRow
from conversations.services import conversations
from conversations.services.conversations import AlreadyCreated

TITLE_LENGTH = 80


def of(row: BatchRow, question: str) -> UUID:
    """Where a row is asked. Raises Problem."""
    batch = row.batch
    if batch.per_conversation == Batch.Where.EACH:
        return row.conversation_id or _made(batch, f"batch:{row.id}", question)
    if batch.conversation_id is None:
        batch.conversation_id = _made(batch, f"batch:{batch.id}", question)
        Batch.objects.filter(id=batch.id).update(conversation=batch.conversation_id)
    return batch.conversation_id


def _made(batch: Batch, key: str, question: str) -> UUID:
    """A new conversation; the same where the key comes again. What is said in front is said at once."""
    title = question if batch.per_conversation == Batch.Where.EACH else opened(batch, "title", batch.title) or question
    about = opened(batch, "about", batch.about)
    try:
        made = conversations.create(
            user=batch.user,
            title=" ".join(title.split())[:TITLE_LENGTH],
            assistant=None if about else batch.assistant,
            metadata={"batch": str(batch.id)},
            message=about,
            temporary=batch.temporary,
            idempotency_key=key,
        )
        return made.result().conversation.id
    except AlreadyCreated as before:
        return before.conversation
