"""Verbs on shares: links by which strangers read a conversation, and their end."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.models import User
from accounts.services.idempotency import Once
from chatproject.lib import clock
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations.models import Conversation, Report, Share

ROUTE = "POST shares"
DAY = 24 * 3600


@dataclass(frozen=True)
class Wish:
    """What somebody wants to share, and how: `expires_in` in seconds, SHARE_DAYS where it is None; `seq` is where a
    fixed one stands, the head where it is None."""

    mode: str = "fixed"
    expires_in: int | None = None
    password: str | None = None
    max_views: int | None = None
    seq: int | None = None


@transaction.atomic
def create(*, user: User, conversation: UUID, wish: Wish, idempotency_key: str | None = None) -> tuple[Share, str]:
    """Make a share; the share and its token, which cannot be had again (but under the same key). That `user` may was
    checked.

    Raises Problem `invalid`, `not_found`, `conversation_closed` (erased or archived), `quota_exceeded` beyond
    SHARES_MAX, `idempotency_mismatch`; `conflict` where the share that the key made is gone again.
    """
    once = Once(user, f"{ROUTE} {conversation}", idempotency_key, vars(wish)) if idempotency_key else None
    before = once.claim() if once else None
    if before:
        return _again(before), _token(before, idempotency_key)
    row = _conversation(conversation)
    share = _share(user, wish)
    share.conversation, share.seq = row, _place(wish, row.last_seq)
    return _kept(share, once, idempotency_key)


@transaction.atomic
def create_of_report(*, user: User, report: UUID, wish: Wish, idempotency_key: str | None = None) -> tuple[Share, str]:
    """The same for a report, which is fixed. That it is theirs was checked.

    Raises Problem `invalid`, `not_found`, `conflict` (not completed), `quota_exceeded`, `idempotency_mismatch`.
    """
    once = Once(user, f"{ROUTE} {report}", idempotency_key, vars(wish)) if idempotency_key else None
    before = once.claim() if once else None
    if before:
        return _again(before), _token(before, idempotency_key)
    share = _share(user, wish)
    share.report = _finished(report, wish)
    return _kept(share, once, idempotency_key)


def _kept(share: Share, once: Once | None, idempotency_key: str | None) -> tuple[Share, str]:
    token = _token(share.id, idempotency_key)
    share.digest = digest(token)
    share.save(force_insert=True)
    if once:
        once.remember(share.id)
    audit.record(actor=share.created_by_id, action="share.created", target=("share", share.id), **_about(share))
    return share, token


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def _token(share: UUID, key: str | None) -> str:
    """256 bits. Under an Idempotency-Key they are derived from it, so that whoever lost the answer gets it again."""
    if key is None:
        return secrets.token_urlsafe(32)
    derived = salted_hmac("conversations.shares", f"{share.hex}|{key}", algorithm="sha256").digest()
    return urlsafe_b64encode(derived).rstrip(b"=").decode()


def _again(share: UUID) -> Share:
    row = Share.objects.filter(id=share).first()
    if row is None:
        raise Problem("conflict", "The share that this key made is gone.")
    return row


def _conversation(id_: UUID) -> Conversation:
    """Locked, so that its head stays, and two requests do not both find room for the last share."""
    row = Conversation.objects.select_for_update().filter(id=id_).first()
    if row is None:
        raise Problem("not_found")
    if row.erased or row.status == Conversation.Status.ARCHIVED:
        raise Problem("conversation_closed")
    if Share.objects.filter(conversation=row, expires_at__gt=Now()).count() >= settings.SHARES_MAX:
        raise Problem("quota_exceeded", f"A conversation has at most {settings.SHARES_MAX} shares; revoke one first.")
    return row


def _finished(id_: UUID, wish: Wish) -> Report:
    """Locked as a conversation is."""
    if wish.mode == "live" or wish.seq is not None:
        raise Problem("invalid", errors={"mode": ["A report is what it is."]})
    row = Report.objects.select_for_update().filter(id=id_).first()
    if row is None:
        raise Problem("not_found")
    if row.status != Report.Status.COMPLETED:
        raise Problem("conflict", "This report is not completed.")
    if Share.objects.filter(report=row, expires_at__gt=Now()).count() >= settings.SHARES_MAX:
        raise Problem("quota_exceeded", f"A report has at most {settings.SHARES_MAX} shares; revoke one first.")
    return row


def _share(user: User, wish: Wish) -> Share:
    now = clock.now()
    seconds = wish.expires_in or settings.SHARE_DAYS * DAY
    if seconds > settings.SHARE_MAX_DAYS * DAY:
        raise Problem("invalid", errors={"expires_in": [f"At most {settings.SHARE_MAX_DAYS} days."]})
    return Share(
        id=new_id(),
        created_by=user,
        password=make_password(wish.password) if wish.password else "",
        max_views=wish.max_views,
        created_at=now,
        expires_at=now + timedelta(seconds=seconds),
    )


def _place(wish: Wish, head: int) -> int | None:
    if wish.mode == "live":
        if wish.seq is not None:
            raise Problem("invalid", errors={"seq": ["A live share stands nowhere."]})
        return None
    if wish.seq is not None and not 1 <= wish.seq <= head:
        raise Problem("invalid", errors={"seq": [f"The log has the numbers 1 to {head}."]})
    return wish.seq or head


def _about(share: Share) -> dict[str, Any]:
    return {
        **of(share),
        "mode": "live" if share.live else "fixed",
        "seq": share.seq,
        "password": bool(share.password),
        "max_views": share.max_views,
        "expires_at": clock.rfc3339(share.expires_at),
    }


@transaction.atomic
def revoke(*, user: User, conversation: UUID, share: UUID) -> None:
    """End a share; who reads it is cut off within 2 s. That `user` may was checked. Raises Problem `not_found`."""
    _revoke(user, Share.objects.filter(id=share, conversation=conversation).first())


@transaction.atomic
def revoke_of_report(*, user: User, report: UUID, share: UUID) -> None:
    """End a link to a report. That it is theirs was checked. Raises Problem `not_found`."""
    _revoke(user, Share.objects.filter(id=share, report=report).first())


@transaction.atomic
def revoke_as_staff(*, staff: User, share: UUID) -> None:
    """The same for staff, who need not be members. Raises Problem `not_found`."""
    _revoke(staff, Share.objects.filter(id=share).first())


def _revoke(user: User, share: Share | None) -> None:
    if share is None:
        raise Problem("not_found")
    audit.record(
        actor=user.id,
        action="share.revoked",
        target=("share", share.id),
        views=share.views,
        **of(share),
    )
    share.delete()


def of(share: Share) -> dict[str, Any]:
    """What it shows, for the audit trail."""
    return {"report": str(share.report_id)} if share.report_id else {"conversation": str(share.conversation_id)}


def erase(conversation: UUID) -> None:
    """What was erased is shared no longer."""
    Share.objects.filter(conversation=conversation).delete()


def clear() -> None:
    """Delete the shares that are over."""
    Share.objects.filter(expires_at__lte=Now()).delete()
