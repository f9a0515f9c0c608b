"""The channel groups that one process listens to, and whether hints reach it.

One task subscribes and unsubscribes, one group after the other, towards what is wanted now; so a room that
closes and opens again at once cannot end up deaf. Where Redis is away it tries again as soon as it is back.
"""

import asyncio
import logging
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
    """`away` is whether the last probe was lost; `channel` is where messages come in, once there is one."""

    def __init__(self) -> None:
        self.layer: Any = get_channel_layer()
        self.channel: str | None = None
        self._back, self._gone, self._probed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._back.set()
        self._wanted: dict[UUID, asyncio.Event] = {}
        self._have: set[UUID] = set()
        self._changed = asyncio.Event()

    @property
    def away(self) -> bool:
        return not self._back.is_set()

    async def want(self, conversation: UUID) -> None:
        """Listen to a room; returns when it does, or when Redis is found to be away."""
        there = self._wanted.setdefault(conversation, asyncio.Event())
        self._changed.set()
        if not self.away:
            await there.wait()

    def drop(self, conversation: UUID) -> None:
        """Listen to a room no more."""
        there = self._wanted.pop(conversation, None)
        if there:
            there.set()
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
        for conversation in self._have - self._wanted.keys():
            async with asyncio.timeout(LAYER_SECONDS):
                await self.layer.group_discard(group_of(conversation), self.channel)
            self._have.discard(conversation)
        for conversation in list(self._wanted):
            if conversation not in self._have:
                await self._add(conversation)
            if conversation in self._wanted:
                self._wanted[conversation].set()

    async def _add(self, conversation: UUID) -> None:
        async with asyncio.timeout(LAYER_SECONDS):
            if self.channel is None:
                self.channel = await self.layer.new_channel()
            await self.layer.group_add(group_of(conversation), self.channel)
        self._have.add(conversation)

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
