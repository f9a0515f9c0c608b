"""Verbs on sessions: begin or take up, renew, end. Their times are the database's, so that servers agree on them."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts import audit
from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from chatproject.lib.jsonvalues import clean_object
from conversations.groupcommit import GroupCommit
from conversations.models import Session
from conversations.privacy.drafts import kept
from conversations.services import conversations

SWEEP_BATCH = 1000


@dataclass(frozen=True)
class Visit:
    """A client that comes; `resume` is the session that it says it has."""

    user: UUID
    kind: str
    client_id: str
    resume: UUID | None = None


@dataclass(frozen=True)
class Arrival:
    """`over` tells why the session which the client had is over; then `session` is a new one."""

    session: UUID
    over: str = ""


def arrive(visit: Visit) -> "Future[Arrival]":
    """Take a session up, or begin one; those who come together share a commit."""
    return _writer.submit(visit)


def _arrive_together(visits: Sequence[Visit]) -> list[Arrival]:
    wanted = {visit.resume for visit in visits if visit.resume}
    with transaction.atomic():
        open_ = Session.objects.filter(id__in=wanted, ended_at=None, last_seen__gt=Now() - _lifetime())
        alive = {(row.id, row.user_id) for row in open_.order_by("id").select_for_update(no_key=True)}
        ended = _ended(wanted - {id_ for id_, _ in alive})
        results = [_arrival(visit, alive, ended) for visit in visits]
        fresh = [
            Session(id=result.session, user_id=visit.user, kind=visit.kind, client_id=visit.client_id, started_at=Now(),
                    last_seen=Now())
            for visit, result in zip(visits, results, strict=True)
            if result.session != visit.resume
        ]  # fmt: skip
        Session.objects.bulk_create(fresh)
        Session.objects.filter(id__in=wanted & {id_ for id_, _ in alive}).update(last_seen=Now())
    for session in fresh:
        metrics.sessions_started.labels(session.kind).inc()
    return results


_writer: GroupCommit[Visit, Arrival] = GroupCommit(
    "sessions", _arrive_together, limit=500, queue=settings.GROUP_COMMIT_QUEUE
)


def _ended(sessions: set[UUID]) -> dict[tuple[UUID, UUID], str]:
    """Why they were ended, by session and user."""
    rows = Session.objects.filter(id__in=sessions).exclude(reason="") if sessions else Session.objects.none()
    return {(row.id, row.user_id): row.reason for row in rows}


def _arrival(visit: Visit, alive: set[tuple[UUID, UUID]], ended: dict[tuple[UUID, UUID], str]) -> Arrival:
    if visit.resume is None:
        return Arrival(Session().id)
    had = visit.resume, visit.user
    if had in alive:
        return Arrival(visit.resume)
    return Arrival(Session().id, ended.get(had, Session.Reason.EXPIRED))


def _lifetime() -> timedelta:
    return timedelta(seconds=settings.SESSION_SECONDS)


def begin_http(
    *,
    user: User,
    conversation: UUID | None = None,
    assistant: str | None = None,
    keep: bool = False,
    client_id: str = "",
    data: Any = None,
) -> Session:
    """A session without a socket, in `conversation` or a new one, which is temporary unless `keep`.

    That `user` may speak in `conversation` was checked. Raises Problem `invalid`, `too_large`.
    """
    clean = _clean_data(data or {})
    if conversation is None:
        made = conversations.create(user=user, assistant=assistant, temporary=not keep)
        conversation = made.result().conversation.id
    metrics.sessions_started.labels(Session.Kind.HTTP).inc()
    session = Session.objects.create(
        user=user, kind=Session.Kind.HTTP, client_id=client_id, conversation_id=conversation, data=clean,
        started_at=Now(), last_seen=Now(),
    )  # fmt: skip
    return Session.objects.get(id=session.id)


def renew(ids: Iterable[UUID]) -> None:
    """These clients are still there."""
    Session.objects.filter(id__in=list(ids), ended_at=None).update(last_seen=Now())


def change_data(*, session: Session, data: Any) -> Session:
    """Replace the caller's own JSON. Raises Problem `invalid`, `too_large`, `conflict` where the session is over."""
    clean = _clean_data(data)
    if not Session.objects.filter(id=session.id, ended_at=None).update(data=clean, last_seen=Now()):
        raise Problem("conflict", "This session has ended.")
    return Session.objects.get(id=session.id)


def end(*, session: UUID, reason: str = Session.Reason.LEFT) -> None:
    """End a session; whoever still has it open is disconnected. Ending it twice is harmless."""
    _end(Session.objects.filter(id=session), reason, at=Now())


@transaction.atomic
def end_as_staff(*, staff: User, session: UUID) -> None:
    """End anybody's session, with an audit entry."""
    end(session=session, reason=Session.Reason.STAFF)
    audit.record(actor=staff.id, action="session.ended", target=("session", session))


def sweep() -> None:
    """End what nobody has been heard of for SESSION_SECONDS, as of when it was last heard of."""
    silent = Session.objects.filter(ended_at=None, last_seen__lt=Now() - _lifetime())
    _end(Session.objects.filter(id__in=silent.values("id")[:SWEEP_BATCH]), Session.Reason.SILENCE, at=F("last_seen"))


def _end(rows: QuerySet[Session], reason: str, *, at: Any) -> None:
    with transaction.atomic():
        found = list(rows.filter(ended_at=None).select_for_update(no_key=True))
        Session.objects.filter(id__in=[row.id for row in found]).update(ended_at=at, reason=reason)
    for row in found:
        metrics.session_seconds.labels(row.kind).observe((row.last_seen - row.started_at).total_seconds())


def _clean_data(data: Any) -> dict[str, Any]:
    clean: dict[str, Any] = kept("session", data=clean_object("data", data, settings.SESSION_DATA_BYTES))["data"]
    return clean
