"""Whether an answer was handed over to the socket, to its last byte: then the request's attempt is over."""

from typing import Any

from accounts.services import attempts
from chatproject.lib.threads import in_thread
from realtime.tasks import pause, run_soon

FAILED = 500


class HandedOver:
    """An ASGI application around another."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        line = Line(scope, receive, send)
        await self.application(scope, line.receive, line.send)


class Line:
    """What goes in and out of one request."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._gone = False
        self._status = FAILED

    async def receive(self) -> Any:
        message = await self._receive()
        self._gone |= message["type"] == "http.disconnect"
        return message

    async def send(self, message: Any) -> None:
        self._status = message.get("status", self._status)
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        attempt = self._scope.get(attempts.SCOPE)
        if not (last and attempt):
            return await self._send(message)
        await pause()  # so that an end of the line that has come in is known
        gone = self._gone
        await self._send(message)
        if not gone and self._status < FAILED:
            attempts.answered(attempt)
            run_soon(in_thread(attempts.forget, attempt))
        return None
