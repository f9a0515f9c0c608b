"""Storing pieces of running answers: one commit for all runs of the process, fenced."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chatproject.lib import clock, metrics, rows
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from conversations import event_types, keys
from conversations.groupcommit import GroupCommit
from conversations.models import Run, RunChunk
from conversations.publishing import publish
from conversations.services.runs import Claim

# Pieces come every DELTA_MS from each of many runs: those of so many seconds share a commit, but for the first ones.
APART_SECONDS = 0.025
# In id order, so that two groups never wait for each other.
LOCK = """
SELECT id, fence, status, stored, queued_at FROM conversations_run WHERE id = ANY(%s::uuid[])
ORDER BY id FOR NO KEY UPDATE
"""
LONGER = """
UPDATE conversations_run AS run SET stored = longer.stored, lease_until = now() + make_interval(secs => %s)
FROM unnest(%s::uuid[], %s::int[]) AS longer(id, stored) WHERE run.id = longer.id
"""


@dataclass
class Running:
    """What a piece has to fit to, of its run."""

    id: UUID
    fence: int
    status: str
    stored: int
    queued_at: datetime


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
    return _writer.submit(piece, urgent=not piece.offset)


def commit(pieces: Sequence[Piece]) -> list[int | Exception]:
    """Store several pieces in one transaction, renew the leases, then hint the deltas."""
    found = keys.load(piece.claim.conversation for piece in pieces)
    frames: dict[UUID, list[dict]] = {}
    results: list[int | Exception] = []
    begun: list[Running] = []
    with transaction.atomic():
        runs = _lock({piece.claim.run for piece in pieces})
        chunks: list[RunChunk] = []
        for piece in pieces:
            run = runs.get(piece.claim.run)
            refusal = _refusal(run, piece)
            results.append(refusal or piece.end)
            if run is None or refusal or run.stored == piece.end:
                continue
            chunks.append(_chunk(piece, found[piece.claim.conversation]))
            frames.setdefault(piece.claim.conversation, []).append(delta(piece))
            if not run.stored:
                begun.append(run)
            run.stored = piece.end
        _insert(chunks, runs)
    publish(frames)
    _measure(begun)
    return results


_writer: GroupCommit[Piece, int] = GroupCommit(
    "chunks", commit, limit=500, queue=settings.GROUP_COMMIT_QUEUE, apart=APART_SECONDS
)


def _insert(chunks: Sequence[RunChunk], runs: Mapping[UUID, Running]) -> None:
    if not chunks:
        return
    longer = {chunk.run_id: runs[chunk.run_id].stored for chunk in chunks}
    with rows.one_round_trip():
        rows.insert(chunks)
        rows.execute(LONGER, settings.LEASE_SECONDS, list(longer), list(longer.values()))


def _measure(begun: Sequence[Running]) -> None:
    """Note how long these runs waited for the first piece of their answer."""
    now = clock.now()
    for run in begun:
        metrics.first_delta.observe(max(0.0, (now - run.queued_at).total_seconds()))


def _lock(runs: set[UUID]) -> dict[UUID, Running]:
    return {found[0]: Running(*found) for found in rows.execute(LOCK, list(runs))}


def _refusal(run: Running | None, piece: Piece) -> Problem | None:
    if run is None or run.fence != piece.claim.fence or run.status not in Run.ACTIVE:
        return Problem("run_not_active")
    if run.stored not in (piece.offset, piece.end):
        return Problem("conflict", "This piece does not follow what is stored.")
    return None


def _chunk(piece: Piece, key: DataKey) -> RunChunk:
    claim = piece.claim
    sealed = key.seal(piece.text, event_types.context(claim.conversation, claim.run, str(piece.offset)))
    return rows.new(RunChunk, run_id=claim.run, offset=piece.offset, length=len(piece.text), text=sealed)


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
