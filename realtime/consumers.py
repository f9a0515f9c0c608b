"""The WebSocket endpoint: only a transport between the ASGI server and a session."""

import asyncio
from typing import Any

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from django.conf import settings

from chatproject.lib import metrics
from realtime.dispatch import Lane
from realtime.hub import hub
from realtime.identity import headers_of
from realtime.protocol import Close
from realtime.session import Session

NO_LAYER = "none"


class SocketConsumer(AsyncConsumer):
    """Has no channel of its own (the hub has one for all), and no dispatch that touches the database."""

    channel_layer_alias = NO_LAYER

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Channels' own closes old database connections first, a thread hop for every frame."""
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        self.session = Session(self, headers_of(self.scope))
        self.lane = Lane(self.session)
        metrics.ws_connections.inc()
        await self.base_send({"type": "websocket.accept"})
        hub().watch(self.session)
        self._hello_timer = asyncio.get_running_loop().call_later(settings.HELLO_SECONDS, self._no_hello)

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if self.session.closed:
            return
        if text is None:
            self.session.close(Close.BAD_FRAME)
        else:
            self.lane.receive(text)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self._hello_timer.cancel()
        metrics.ws_connections.dec()
        hub().unwatch(self.session)
        self.session.ended()
        self.session.outbox.end()
        raise StopConsumer

    async def send(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        await self.base_send({"type": "websocket.close", "code": code})

    def _no_hello(self) -> None:
        if self.session.user is None:
            self.session.close(Close.NOT_AUTHENTICATED)
