"""Storing pieces of running answers: one commit for all runs of the process, fenced."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from chatproject.lib import clock, metrics
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from conversations import event_types, keys
from conversations.groupcommit import GroupCommit
from conversations.models import Run, RunChunk
from conversations.publishing import publish
from conversations.services.runs import Claim


@dataclass(frozen=True)
class Piece:
    """`offset` is how much of the answer comes before: where the outcome of a commit is unknown, the piece
    can be stored again, and is there once."""

    claim: Claim
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


def store(piece: Piece) -> "Future[int]":
    """Store a piece of an answer; gives the stored length.

    Fails with Problem `run_not_active` when fenced off, `conflict` where it does not follow what is stored,
    `unavailable`.
    """
    return _writer.submit(piece)


def commit(pieces: Sequence[Piece]) -> list[int | Exception]:
    """Store several pieces in one transaction, renew the leases, then hint the deltas."""
    found = keys.load(piece.claim.conversation for piece in pieces)
    frames: dict[UUID, list[dict]] = {}
    results: list[int | Exception] = []
    begun: list[Run] = []
    with transaction.atomic():
        runs = _lock({piece.claim.run for piece in pieces})
        chunks: list[RunChunk] = []
        for piece in pieces:
            run = runs.get(piece.claim.run)
            refusal = _refusal(run, piece)
            results.append(refusal or piece.end)
            if run is None or refusal or run.stored == piece.end:
                continue
            chunks.append(_chunk(run, piece, found[piece.claim.conversation]))
            frames.setdefault(piece.claim.conversation, []).append(delta(piece))
            if not run.stored:
                begun.append(run)
            run.stored = piece.end
        RunChunk.objects.bulk_create(chunks)
        lease_until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
        for run_id in {chunk.run_id for chunk in chunks}:
            Run.objects.filter(id=run_id).update(stored=runs[run_id].stored, lease_until=lease_until)
    publish(frames)
    _measure(begun)
    return results


_writer: GroupCommit[Piece, int] = GroupCommit("chunks", commit, limit=500, queue=settings.GROUP_COMMIT_QUEUE)


def _measure(begun: Sequence[Run]) -> None:
    """Note how long these runs waited for the first piece of their answer."""
    now = clock.now()
    for run in begun:
        metrics.first_delta.observe(max(0.0, (now - run.queued_at).total_seconds()))


def _lock(runs: set[UUID]) -> dict[UUID, Run]:
    return {run.id: run for run in Run.objects.filter(id__in=runs).order_by("id").select_for_update(no_key=True)}


def _refusal(run: Run | None, piece: Piece) -> Problem | None:
    if run is None or run.fence != piece.claim.fence or run.status not in Run.ACTIVE:
        return Problem("run_not_active")
    if run.stored not in (piece.offset, piece.end):
        return Problem("conflict", "This piece does not follow what is stored.")
    return None


def _chunk(run: Run, piece: Piece, key: DataKey) -> RunChunk:
    sealed = key.seal(piece.text, event_types.context(run.conversation_id, run.id, str(piece.offset)))
    return RunChunk(run=run, offset=piece.offset, length=len(piece.text), text=sealed)


def delta(piece: Piece) -> dict[str, Any]:
    """The frame that shows a stored piece."""
    claim = piece.claim
    return {
        "type": "delta",
        "conversation": str(claim.conversation),
        "run": str(claim.run),
        "message": str(claim.message),
        "offset": piece.offset,
        "text": piece.text,
    }
