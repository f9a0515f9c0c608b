"""Enqueueing jobs by name, in the transaction of whoever asks. The jobs themselves are in jobs.py."""

import json
from typing import Any
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

TURNS = "turns"
BACKGROUND = "background"

TAKE_TURN = "conversations.take_turn"
MEND_QUEUE = "conversations.mend_queue"
EXPORT = "conversations.export"
MEND_EXPORTS = "conversations.mend_exports"
BATCH = "conversations.batch"
MEND_BATCHES = "conversations.mend_batches"
REPORT = "conversations.report"
MEND_REPORTS = "conversations.mend_reports"
MEND_DESK = "conversations.mend_desk"
CHECKPOINT = "conversations.checkpoint"
VERIFY = "conversations.verify"
CLEAR_FILES = "conversations.clear_files"
SWEEP_SESSIONS = "conversations.sweep_sessions"
LIFECYCLE = "conversations.lifecycle"
EMBED = "conversations.embed"
ERASE = "conversations.erase"
LEAVE = "conversations.leave"
SUMMARISE = "conversations.summarise"


def enqueue_turn(conversation: UUID) -> None:
    """Have a worker claim the oldest queued run of this conversation. Doing so twice is harmless."""
    app.configure_task(TAKE_TURN, queue=TURNS, allow_unknown=True).defer(conversation=str(conversation))


def enqueue(name: str, *, once: bool = False, **arguments: Any) -> None:
    """Have a worker do the background job `name` with `arguments` (plain JSON).

    With `once`, nothing is added where the same job with the same arguments waits already; where another
    transaction is just adding it, that one is waited for.
    """
    same = f"{name} {json.dumps(arguments, sort_keys=True)}" if once else None
    task = app.configure_task(name, queue=BACKGROUND, queueing_lock=same, allow_unknown=True)
    try:
        with transaction.atomic():
            task.defer(**arguments)
    except AlreadyEnqueued:
        return
