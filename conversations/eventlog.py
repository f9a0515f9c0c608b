"""The one way into the log.

An append is a function `decide(state) -> Decision`, run while the conversation's row is locked. Numbers,
events, projections and everything else of the decision are written in one transaction; only after its
COMMIT do callers get their answer and rooms their hint. So commit order is `seq` order, without a hole,
and the same `cmid` is never written twice (PROTOCOL.md section 2).
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from concurrent.futures import Future
from copy import copy
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from chatproject.lib import failpoints, metrics, rows
from chatproject.lib.caller import Caller, called_by
from chatproject.lib.crypto import DataKey
from chatproject.lib.database import is_away
from chatproject.lib.errors import Problem
from conversations import heads, keys, projections, wire
from conversations.actors import Actor
from conversations.appends import Append, Committed, Contradiction, Decision, Draft, Frame, Record, State
from conversations.detours import Detours
from conversations.groupcommit import GroupCommit, Outcome, attempt
from conversations.integrity.retrying import with_rows_made_right
from conversations.models import Conversation, Event
from conversations.publishing import publish

log = logging.getLogger(__name__)

Result = Committed | Exception
# Events of an imported log that are in memory at the same time.
IMPORTED_TOGETHER = 500


def submit(append: Append) -> "Future[Committed]":
    """Queue an append for the next commit of this process.

    The future fails with Problem: whatever `decide` raised, `conflict` (same cmid, other body), `not_found`,
    or `unavailable` (database away, lock not had in time; the outcome is found by sending again).
    """
    return _writer.submit(append)


def append(append: Append) -> Committed:
    """Like `submit`, and wait for the commit."""
    return submit(append).result()


@transaction.atomic
def import_log(conversation: Conversation, key: DataKey, records: Iterable[Record], by: UUID) -> None:
    """Write a whole log that was made elsewhere as the events 1..n of a new `conversation`, for the user `by`.

    All or nothing, together with the transaction around it; nobody is told before the poll finds it.
    `records` are in order, their times never go back, and their data is what projections rely on.
    """
    conversation.save(force_insert=True)
    projector = projections.Projector()
    while batch := list(islice(records := iter(records), IMPORTED_TOGETHER)):
        marks = [{"cmid": one.cmid, "imported_by": by if one.imported else None} for one in batch]
        events = [
            _row(conversation, one.draft, key, one.actor, one.at, **more)
            for one, more in zip(batch, marks, strict=True)
        ]
        for one, event in zip(batch, events, strict=True):
            _put(projector, conversation, one.draft, event)
        projector.flush()
        failpoints.hit("imported_batch")
    conversation.save()


def append_alone(append: Append) -> Committed:
    """Like `append`, in a transaction of this thread, for what takes longer than others should have to wait.

    Only its own conversation is locked meanwhile. Raises Problem as `submit` says.
    """
    [outcome] = attempt("alone", _commit_patiently, [append])
    if isinstance(outcome, Exception):
        raise outcome
    assert isinstance(outcome, Committed)
    return outcome


def _commit_group(appends: Sequence[Append]) -> "list[Outcome[Committed]]":
    """Write a group in one transaction that waits for nobody.

    What somebody else has locked takes a detour; so does all of a group that could not be written as one.
    Raises where the database is away and nothing was written.
    """
    try:
        results = _write(appends, aside=_detours.conversations() | {item.conversation for item in appends if item.long})
    except Exception as error:
        if is_away(error):
            raise
        metrics.commit_failures.inc()
        log.warning("a group of %d is written one by one: %s", len(appends), type(error).__name__)
        connection.close()
        results = [None for _ in appends]
    return [result or _detours.enter(append) for append, result in zip(appends, results, strict=True)]


def _commit_patiently(appends: Sequence[Append]) -> "list[Outcome[Committed]]":
    """Write appends of one conversation, as soon as its row can be had within LOCK_TIMEOUT_MS."""
    results = with_rows_made_right(lambda: _write(appends, patient=True))
    return [result or Problem("not_found") for result in results]


_detours = Detours(_commit_patiently)
_writer: GroupCommit[Append, Committed] = GroupCommit(
    "eventlog", _commit_group, limit=settings.GROUP_COMMIT_MAX, queue=settings.GROUP_COMMIT_QUEUE
)


def _prepare(appends: Sequence[Append]) -> None:
    """Encrypt and hash before any row is locked."""
    found = keys.load(item.conversation for item in appends if item.key is None)
    for item in appends:
        item.key = item.key or found.get(item.conversation)
        if item.key:
            item.fingerprint = item.key.fingerprint(item.body)
            for draft in item.drafts:
                draft.seal(item.key, item.conversation)


def _write(appends: Sequence[Append], *, aside: Set[UUID] = frozenset(), patient: bool = False) -> list[Result | None]:
    """One transaction, and its hints; None for appends whose conversation is locked elsewhere, or is `aside`."""
    _prepare(appends)
    with transaction.atomic():
        group = _Group(appends, aside=aside, patient=patient)
        group.write()
        failpoints.hit("before_commit")
    failpoints.hit("after_commit")
    metrics.commits.inc()
    _publish([result for result in group.results if isinstance(result, Committed) and not result.dup])
    return group.results


def _publish(written: list[Committed]) -> None:
    frames: dict[UUID, list[Frame]] = {}
    for result in written:
        frames.setdefault(result.conversation.id, []).extend(result.frames)
    for type_, times in Counter(frame["type"] for result in written for frame in result.frames).items():
        metrics.events.labels(type_).inc(times)
    publish(frames)


class _Group:
    """The appends of one transaction, and the rows that they need, each fetched once for all."""

    def __init__(self, appends: Sequence[Append], *, aside: Set[UUID], patient: bool) -> None:
        self.appends = appends
        self.results: list[Result | None] = []
        self._heads = heads.lock(appends, aside=aside, patient=patient)
        self._projector = projections.Projector()
        self._changed_roles = False
        self._effects: list[tuple[Caller, Callable[[], object]]] = []
        self._advanced: dict[UUID, Conversation] = {}

    def write(self) -> None:
        self.results = [self._one(item) for item in self.appends]
        self._flush()

    def _one(self, item: Append) -> Result | None:
        """The outcome for one append; None where its conversation could not be locked."""
        # A copy: where the group fails, the append is tried again from the beginning.
        conversation = copy(item.create) if item.create else self._heads.locked.get(item.conversation)
        if conversation is None:
            # A long one is always aside here: whether it is there at all is seen later.
            return None if item.key or item.long else Problem("not_found")
        before = self._heads.known.get(item.identity)
        if before:
            return _repetition(item, conversation, before)
        if conversation.erased or item.key is None:
            return self._closed(item)
        try:
            state = State(conversation, self._role(item), item.actor, item.key, self._flush)
            self._projector.flush_changes()
            decision = item.decide(state)
        except Problem as problem:
            return problem
        if not decision.drafts:
            return Committed(conversation, {}, dup=True)
        return self._number(item, conversation, decision, item.actor.in_role(state.role))

    def _closed(self, item: Append) -> Problem:
        """Why nothing is written to an erased conversation; a key in hand that was destroyed meanwhile is no use."""
        stranger = item.actor.kind == "user" and self._role(item) is None
        return Problem("not_found") if stranger else Problem("conversation_closed", "This conversation was erased.")

    def _role(self, item: Append) -> str | None:
        if self._changed_roles:
            self._flush()
            self._heads.roles, self._changed_roles = heads.roles(self.appends), False
        return self._heads.roles.get((item.conversation, item.actor.id))

    def _number(self, item: Append, conversation: Conversation, decision: Decision, author: Actor) -> Committed:
        if item.create:
            self._projector.insert(conversation)
            self._heads.locked[conversation.id] = conversation
        self._advanced[conversation.id] = conversation
        main = next((draft for draft in decision.drafts if draft is item.main), decision.drafts[0])
        frames: list[Frame] = []
        committed = Committed(conversation, {}, frames)
        for draft in decision.drafts:
            event = self._event(item, conversation, draft, author, is_main=draft is main)
            frames.append(wire.event(event, draft.data))
            if draft is main:
                committed.main = frames[-1]
                self._heads.known[item.identity] = event
        self._effects += [(item.caller, effect) for effect in decision.effects]
        return committed

    def _event(self, item: Append, conversation: Conversation, draft: Draft, author: Actor, *, is_main: bool) -> Event:
        at = max(self._heads.now, conversation.updated_at or self._heads.now)
        named = {"cmid": item.cmid, "fingerprint": item.fingerprint} if is_main else {}
        assert item.key is not None
        event = _row(conversation, draft, item.key, draft.actor or author, at, **named)
        _put(self._projector, conversation, draft, event)
        self._changed_roles |= event.type in CHANGES_ROLES
        return event

    def _flush(self) -> None:
        """Write what is pending, so that queries of later decisions see it."""
        if self._advanced:
            with rows.one_round_trip():
                self._projector.flush()
                heads.advance(list(self._advanced.values()))
        effects, self._effects, self._advanced = self._effects, [], {}
        for who, effect in effects:
            with called_by(who):
                _run(effect)


def _row(conversation: Conversation, draft: Draft, key: DataKey, actor: Actor, at: datetime, **more: Any) -> Event:
    """The next event of a conversation, which goes on to its number and time."""
    conversation.last_seq += 1
    conversation.updated_at = at
    return rows.new(
        Event,
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        id=draft.id,
        type=draft.type,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        data=draft.stored(key, conversation.id),
        at=at,
        **more,
    )


def _put(projector: projections.Projector, conversation: Conversation, draft: Draft, event: Event) -> None:
    """The event, what follows from it, and by which words it is found."""
    projector.insert(event)
    projections.apply(projector, conversation, event)
    if entry := draft.search_entry(event):
        projector.insert(entry)


def _run(effect: Callable[[], object]) -> None:
    """Effects run while a later append decides, which must not be blamed for what they raise."""
    try:
        effect()
    except Problem as problem:
        raise RuntimeError("an effect refused; only decisions may") from problem


CHANGES_ROLES = ("conversation:new", "member:add", "member:update", "member:remove")


def _repetition(item: Append, conversation: Conversation, before: Event) -> Result:
    if not conversation.erased and bytes(before.fingerprint or b"") != item.fingerprint:
        return Contradiction()
    return Committed(conversation, wire.stored_event(before), dup=True)
