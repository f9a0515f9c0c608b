"""What assistants make: files of the conversation, carried by the answer."""

from io import BytesIO

from django.db import transaction

from chatproject.lib import clock, metrics
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import keys
from conversations.files import content as contents
from conversations.models import Conversation, File, Run
from conversations.services import files
from conversations.services.files import Upload
from conversations.services.madefiles import prefix
from conversations.services.runs import Claim


def store(*, claim: Claim, name: str, content_type: str, data: bytes) -> File:
    """Store what an assistant made; the same name and content of the same run are one file, however often.

    Raises Problem `run_not_active` (fenced off), `too_large`, `unsupported`, `invalid` (empty), `quota_exceeded`.
    """
    given = Upload(BytesIO(data), len(data), name)
    key = keys.of(claim.conversation)
    request = f"{prefix(claim.run)}{key.fingerprint([name]).hex()[:16]}:{contents.digest(given.content, key).hex()}"
    known = File.objects.filter(conversation=claim.conversation, request=request).first()
    if known:
        return known
    row = File(
        id=new_id(),
        conversation_id=claim.conversation,
        type=files.allowed(content_type),
        size=files.allowed_size(given),
        request=request,
    )
    return _store(files.told(row, given, key), given, claim)


@transaction.atomic
def _store(row: File, given: Upload, claim: Claim) -> File:
    key = keys.of(claim.conversation)
    row.digest = contents.store(given.content, key=key, conversation=claim.conversation, file=row.id)
    held = Conversation.objects.select_for_update().filter(id=claim.conversation).exclude(data_key="").exists()
    ours = Run.objects.filter(id=claim.run, fence=claim.fence, status__in=Run.ACTIVE).exists()
    if not (held and ours):
        raise Problem("run_not_active", "This run was ended by somebody else.")
    files.check_quota(row)
    row.created_at = clock.now()
    row.save(force_insert=True)
    metrics.file_bytes.inc(row.size)
    return row
