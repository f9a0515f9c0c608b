"""The channel groups that one process listens to, and whether hints reach it.

One task subscribes and unsubscribes, one group after the other, towards what is wanted now; so a room that
closes and opens again at once cannot end up deaf. Where Redis is away it tries again as soon as it is back.
Of the sub-rooms of a conversation that have members here one is enough: all of them are told the same.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings

from realtime.groups import group_of

log = logging.getLogger(__name__)

LAYER_SECONDS = 1.0
# What a process sends to itself through Redis, to know that hints come through.
PROBE = "hub.probe"


class Subscriptions:
    """`away` is whether the last probe was lost; `channel` is where messages come in, once there is one.

    `shard_of` gives the sub-room of a conversation in which to listen; None = the first.
    """

    def __init__(self, shard_of: Callable[[UUID], int | None]) -> None:
        self.layer: Any = get_channel_layer()
        self._shard_of = shard_of
        self.channel: str | None = None
        self._back, self._gone, self._probed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._back.set()
        self._wanted: dict[UUID, asyncio.Event] = {}
        self._have: dict[UUID, set[int]] = {}
        self._unsettled: set[UUID] = set()
        self._changed = asyncio.Event()

    @property
    def away(self) -> bool:
        return not self._back.is_set()

    async def want(self, conversation: UUID) -> None:
        """Listen to a room; returns when it does, or when Redis is found to be away."""
        there = self._wanted.setdefault(conversation, asyncio.Event())
        self.look([conversation])
        if not self.away:
            await there.wait()

    def drop(self, conversation: UUID) -> None:
        """Listen to a room no more."""
        there = self._wanted.pop(conversation, None)
        if there:
            there.set()
        self.look([conversation])

    def look(self, conversations: Iterable[UUID]) -> None:
        """See soon whether these are listened to where they should be."""
        self._unsettled.update(conversations)
        self._changed.set()

    async def run(self) -> None:
        """Keep what there is as it is wanted; for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._adjust()
            except Exception as error:
                self._note(away=True, why=error)
                await self._back.wait()
                self._changed.set()

    async def watch(self) -> None:
        """Probe Redis every POLL_MS_WITHOUT_REDIS; for ever."""
        while True:
            await asyncio.sleep(settings.POLL_MS_WITHOUT_REDIS / 1000)
            try:
                async with asyncio.timeout(2 * settings.HINT_TIMEOUT_MS / 1000):
                    await self._probe()
            except Exception as error:
                self._note(away=True, why=error)
            else:
                self._note(away=False)

    async def pause(self) -> None:
        """Until the log is to be looked at: POLL_MS, but at once and more often while Redis is away."""
        if self.away:
            return await asyncio.sleep(settings.POLL_MS_WITHOUT_REDIS / 1000)
        with suppress(TimeoutError):
            async with asyncio.timeout(settings.POLL_MS / 1000):
                await self._gone.wait()

    async def _probe(self) -> None:
        """Commands may work while the subscription is cut, so what counts is that a message comes back."""
        await self.layer.ping()
        if self.channel:
            self._probed.clear()
            await self.layer.send(self.channel, {"type": PROBE})
            await self._probed.wait()

    def probed(self) -> None:
        """The probe came back."""
        self._probed.set()

    async def _adjust(self) -> None:
        """Raises whatever the layer raises, or TimeoutError."""
        while self._unsettled:
            conversation = self._unsettled.pop()
            try:
                async with asyncio.timeout(LAYER_SECONDS):
                    await self._settle(conversation)
            except BaseException:
                self._unsettled.add(conversation)
                raise

    async def _settle(self, conversation: UUID) -> None:
        """The new group first, so that nothing is missed between the two."""
        wanted = (self._shard_of(conversation) or 0) if conversation in self._wanted else None
        have = self._have.setdefault(conversation, set())
        if wanted is not None and wanted not in have:
            if self.channel is None:
                self.channel = await self.layer.new_channel()
            await self.layer.group_add(group_of(conversation, wanted), self.channel)
            have.add(wanted)
        for shard in have - {wanted}:
            await self.layer.group_discard(group_of(conversation, shard), self.channel)
            have.discard(shard)
        if not have:
            del self._have[conversation]
        if conversation in self._wanted and have:
            self._wanted[conversation].set()

    def _note(self, *, away: bool, why: Exception | None = None) -> None:
        if away != self.away:
            log.warning("Redis is %s%s", "away: polling fast" if away else "back", f" ({why!r})" if why else "")
        if not away:
            self._back.set()
            self._gone.clear()
        else:
            self._back.clear()
            self._gone.set()
            for there in self._wanted.values():
                there.set()
