"""The action `batch`: the lines of a message, or the file that it carries, are asked one by one. The run shows how far
that is, and then what came of it; each question has a conversation of its own."""

import io
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import ngettext

from conversations import keys, selectors
from conversations.actions import Action
from conversations.assistants.base import Turn
from conversations.assistants.defaults import default_assistant
from conversations.assistants.watching import Progress, asker, question, watch
from conversations.batches import reading
from conversations.batches.questions import Question
from conversations.files import content
from conversations.models import Batch, File, Message
from conversations.permissions import Permission
from conversations.services import batches
from conversations.services.runs import Claim


async def answer(turn: Turn) -> None:
    """Begin the batch, once, and watch it."""
    await watch(turn, "batch", look)


def look(claim: Claim) -> Progress:
    """How far the batch of a run is; it is begun where there is none yet. Raises Problem."""
    batch = Batch.objects.filter(run=claim.run).first() or _begun(claim)
    found: Any = Batch.objects.counted().get(id=batch.id)
    ended = found.done + found.failed + found.halted
    shown = {"batch": str(batch.id), "total": found.total, "done": ended, "failed": found.failed}
    percent = 100 * ended // found.total
    news = percent != found.shown
    if news:
        Batch.objects.filter(id=batch.id).update(shown=percent)
    return {"over": not found.is_active, "news": news, "shown": shown, "text": _told(found.id, found.total, found.done)}


def _begun(claim: Claim) -> Batch:
    user = asker(claim)
    message, text = question(claim)
    assistant = message.conversation.assistant or default_assistant()
    wish = batches.Wish(assistant=assistant, run=claim.run)
    with transaction.atomic():
        return batches.start(user=user, questions=_questions(message, text), wish=wish)


def _questions(message: Message, text: str) -> list[Question]:
    """Those of the files, else of the lines. Raises Problem."""
    files = File.objects.filter(id__in=[part["id"] for part in message.parts if part.get("type") == "file"])
    key = keys.of(message.conversation_id)
    names = selectors.names_of_files([message])[message.id]
    found = [
        one
        for file, name in zip(files, names, strict=False)
        for one in reading.questions(io.BytesIO(b"".join(content.pieces(file, key))), name)
    ]
    return found or list(reading.lines(text))


def _told(batch: UUID, total: int, done: int) -> str:
    told = ngettext("%(done)s of %(n)s question answered", "%(done)s of %(n)s questions answered", total)
    return f"[{told % {'done': done, 'n': total}}](/batches/{batch}/)"


BATCH = Action(Permission.SEND, "Asks every line, or every row of a file, on its own.", handler=answer, text=False)
