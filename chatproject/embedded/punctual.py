"""uvicorn, which hangs up where the head of a request does not come in time.

By itself it waits for ever, also while one byte a minute comes in, so that a few thousand such connections stop
everybody else (slowloris). `python -m chatproject.embedded.punctual …` takes what `python -m uvicorn …` takes.
"""

import asyncio

from django.conf import settings
from uvicorn.config import HTTP_PROTOCOLS, WS_PROTOCOLS
from uvicorn.main import main
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Punctual(HttpToolsProtocol):
    """The head of a request, or of a WebSocket's handshake, must be there HELLO_SECONDS after it began."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        self._end()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._deadline = self.loop.call_later(settings.HELLO_SECONDS, self.transport.abort)

    def _end(self) -> None:
        if self._deadline:
            self._deadline.cancel()


HTTP_PROTOCOLS["auto"] = "chatproject.embedded.punctual:Punctual"
WS_PROTOCOLS["websockets-sansio"] = "chatproject.embedded.direct:Direct"
if __name__ == "__main__":
    main()
