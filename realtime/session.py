"""One client's visit over a WebSocket: who it is, what it may still do, what waits for it."""

import asyncio
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from accounts import scopes
from accounts.identities import Identity, Scope
from accounts.models import User
from chatproject.lib import metrics
from chatproject.lib.caller import caller
from chatproject.lib.errors import Problem
from chatproject.lib.threads import in_thread
from realtime import protocol
from realtime.drain import GRACE_SECONDS
from realtime.hub import hub
from realtime.identity import identify
from realtime.membership import Membership
from realtime.outbox import Outbox
from realtime.protocol import Close, Hello
from realtime.tasks import run_soon
from realtime.tenure import Tenure

# Refusals are counted for so long.
FLOOD_SECONDS = 10.0


class Transport(Protocol):
    """How a session reaches its client."""

    def send(self, text: str) -> Awaitable[None]: ...

    async def close(self, code: int) -> None: ...


class Session:
    """State of one connection. Frames of one client are handled in order (see `dispatch.py`)."""

    def __init__(self, transport: Transport, headers: dict[str, str]) -> None:
        # Known once `hello` is answered.
        self.session_id: UUID | None = None
        self.client_id = ""
        self.user: User | None = None
        self.tenure: Tenure | None = None
        self.memberships: dict[UUID, Membership] = {}
        self.outbox = Outbox(transport.send, hub().pace)
        self.landing = hub().landing
        self.errors = 0
        self.closed = False
        self._place: UUID | None = None
        self._refusals = 0
        self._refused_since = 0.0
        self._transport = transport
        self._headers = headers
        self._begun = self._heard = self._beat = time.monotonic()
        # Whether the user did something since it was noted last.
        self.acted = False
        # Whether `hello` was said; without a user since, it was put off.
        self.greeted = False
        self._beats = 0

    def authenticated(self) -> User:
        """The user. Raises Problem `unauthenticated` before `hello`."""
        if self.user is None:
            raise Problem("unauthenticated", "Send hello first.")
        self.acted = True
        return self.user

    def require(self, scope: Scope | None) -> None:
        """Raises Problem `forbidden` where an API key opened the connection, and may not do this."""
        if scope and self.tenure:
            scopes.require(self.tenure.identity, scope)

    async def identify(self, hello: Hello) -> Identity:
        """Find out who this is. Raises Problem `unauthenticated` or `token_expired`."""
        return await in_thread(identify, self._headers, hello)

    def begin(self, identity: Identity, client_id: str, session_id: UUID) -> None:
        """`hello` is answered: from now on everything is done as this user."""
        self.user, self.client_id, self.session_id = identity.user, client_id, session_id
        self.tenure = Tenure(identity)
        self._headers, self.acted = {}, True
        caller().session = str(session_id)

    def heard(self) -> None:
        """Any frame counts as a sign of life."""
        self._heard = time.monotonic()

    def greet(self) -> None:
        """`hello` was said. Where it cannot be answered now, that ends nobody's session for good."""
        self.greeted, self._begun = True, time.monotonic()

    def send(self, frame: dict[str, Any]) -> None:
        self.outbox.say(protocol.encode(frame))
        if self.outbox.overflowing:
            self.close(Close.SLOW)

    def fail(self, problem: Problem, ref: Any = None) -> None:
        """Answer with an error; malformed frames end the session when there are too many."""
        metrics.errors.labels("ws", problem.code.name).inc()
        self.send(protocol.error_frame(problem, ref))

    def malformed(self, problem: Problem, ref: Any = None) -> None:
        self.fail(problem, ref)
        self.errors += 1
        if self.errors >= protocol.MAX_ERRORS:
            self.close(Close.TOO_MANY_ERRORS)

    async def take_place(self, user: UUID) -> None:
        """One of the sockets that `user` may have. Raises Problem `rate_limited`."""
        if self._place is None:
            self._place = user
            try:
                await hub().places.take(user)
            except BaseException:
                self._give_place_back()
                raise

    def _give_place_back(self) -> None:
        if self._place:
            hub().places.leave(self._place)
            self._place = None

    def refused(self) -> None:
        """Something came too often. Who sends on all the same, and does not wait, is sent away."""
        now = time.monotonic()
        if now - self._refused_since > FLOOD_SECONDS:
            self._refused_since, self._refusals = now, 0
        self._refusals += 1
        if self._refusals >= settings.FLOOD_REFUSALS and not self.closed:
            metrics.floods.inc()
            self.close(Close.RATE_LIMITED)

    def acked(self, count: int) -> None:
        if not self.outbox.ack(count):
            raise Problem("invalid", "This acknowledges more than was sent.")
        self._catch_up()

    def _catch_up(self) -> None:
        for membership in self.memberships.values():
            if membership.behind:
                run_soon(membership.catch_up())

    def check(self) -> None:
        """Called every second: heartbeat, silence, unacknowledged messages, catching up that failed."""
        if self.closed:
            return
        self._catch_up()
        if self.tenure:
            self.tenure.renew(self.send)
        now = time.monotonic()
        if (now - self._heard) * 1000 > settings.TIMEOUT_MS:
            self.close(Close.HEARTBEAT)
        elif self.user is None and now - self._begun > settings.HELLO_SECONDS:
            self.close(Close.RATE_LIMITED if self.greeted else Close.NOT_AUTHENTICATED)
        elif self.outbox.stalled_for > settings.ACK_SECONDS:
            self.close(Close.SLOW)
        elif self.tenure and self.tenure.over:
            self.close(Close.TOKEN_EXPIRED)
        elif (now - self._beat) * 1000 >= settings.HEARTBEAT_MS:
            self._beat = now
            self._beats += 1
            self.send({"type": "heartbeat", "n": self._beats, "heads": self._heads()})

    def _heads(self) -> dict[str, int]:
        """Where the conversations stand, as far as the client is told before it hears of it here."""
        for membership in self.memberships.values():
            membership.room.flush()
        return {str(id_): membership.room.head for id_, membership in self.memberships.items()}

    def drain(self, seconds: float) -> None:
        """Ask the client to connect elsewhere after a while; the connection ends a little later."""
        deadline = seconds + GRACE_SECONDS
        wait, end = int(seconds * 1000), int(deadline * 1000)
        self.send({"type": "drain", "retry_after_ms": wait, "deadline_ms": end})
        asyncio.get_running_loop().call_later(deadline, self.close, Close.DRAIN)

    def close(self, code: int) -> None:
        """End the connection with one of the codes of `protocol.Close`."""
        if not self.closed:
            run_soon(self._close(code))
            self.ended()

    async def _close(self, code: int) -> None:
        await self.outbox.close()  # an error frame that explains the code goes first
        with suppress(OSError, RuntimeError):  # the client has closed already
            await self._transport.close(code)

    def ended(self) -> None:
        """The connection is gone: leave all rooms."""
        self.closed = True
        self._give_place_back()
        for membership in list(self.memberships.values()):
            hub().leave(membership.room, membership)
        self.memberships.clear()
