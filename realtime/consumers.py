"""The WebSocket endpoint: only a transport between the ASGI server and a session."""

from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any

from channels.consumer import AsyncConsumer

from chatproject.lib import metrics
from chatproject.lib.addresses import client_address
from chatproject.lib.caller import called_by, calling
from realtime.dispatch import Lane
from realtime.hub import hub
from realtime.identity import headers_of
from realtime.protocol import Close
from realtime.session import Session

Message = dict[str, Any]
# Where uvicorn as `serve` starts it takes a function to call with each text (chatproject/embedded/direct.py).
DIRECT = "websocket.direct"


class SocketConsumer(AsyncConsumer):
    """One connection. Channels' own loop has a channel for each, and makes two tasks and a thread hop (to close old
    database connections) for every frame; here the hub has one channel for all, and frames are taken as they come."""

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._send = send
        headers = headers_of(scope)
        with called_by(calling(client_address((scope.get("client") or [""])[0], headers))):
            session = Session(self, headers)
            lane = Lane(session)
            if direct := scope.get("extensions", {}).get(DIRECT):
                context = copy_context()
                direct(lambda text: context.run(lane.receive, text))
            await self._visit(session, lane, receive)

    async def _visit(self, session: Session, lane: Lane, receive: Callable[[], Awaitable[Message]]) -> None:
        hub().watch(session)
        metrics.ws_connections.inc()
        try:
            await self._serve(session, lane, receive)
        finally:
            metrics.ws_connections.dec()
            hub().unwatch(session)
            session.ended()
            session.outbox.end()

    async def _serve(self, session: Session, lane: Lane, receive: Callable[[], Awaitable[Message]]) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if message["type"] == "websocket.connect":
                await self._send({"type": "websocket.accept"})
            elif session.closed:
                continue
            elif (text := message.get("text")) is None:
                session.close(Close.BAD_FRAME)
            else:
                lane.receive(text)

    def send(self, text: str) -> Awaitable[None]:
        return self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})
