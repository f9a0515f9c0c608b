"""Tickets: one use, half a minute, for the socket of a page of another origin."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from accounts.identities import Identity
from accounts.models import Ticket
from accounts.services import credentials
from chatproject.lib.errors import Problem


def issue(identity: Identity) -> str:
    """A secret that opens one socket as `identity` within TICKET_SECONDS, by the clock of the database.

    The socket lives as long as the login that asked.
    """
    secret = secrets.token_urlsafe(32)
    expires_at = Now() + timedelta(seconds=settings.TICKET_SECONDS)
    Ticket.objects.filter(expires_at__lt=Now()).delete()
    Ticket.objects.create(digest=_digest(secret), user=identity.user, login=identity.login, expires_at=expires_at)
    return secret


def redeem(secret: str) -> Identity:
    """Who asked for a ticket, which is used up. Raises Problem `unauthenticated`."""
    ticket = Ticket.objects.filter(digest=_digest(secret)).first()
    used = Ticket.objects.filter(digest=_digest(secret), expires_at__gt=Now()).delete()[0]
    if ticket is None or not used:
        raise Problem("unauthenticated", "This ticket is not valid (any more).")
    return credentials.identity_of(ticket.login)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
