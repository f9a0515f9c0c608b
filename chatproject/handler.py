"""How Django answers HTTP: each request in one thread from beginning to end.

By itself Django makes a thread for every request, calls the synchronous middleware there, goes back to an event loop
for the view, and from there into a thread again; then once more to close. All of ours is synchronous, and only what
streams goes on in the event loop (docs/decisions/0023-one-thread-per-request.md).
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core import signals
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.db import connections
from django.http import FileResponse
from django.urls import set_script_prefix

T = TypeVar("T")

_executor = ThreadPoolExecutor(settings.HTTP_THREADS, thread_name_prefix="http")


class Handler(ASGIHandler):
    """Django's, for synchronous middleware and views."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            response = await _in_thread(lambda: self._respond(scope, body))
            if response.streaming:
                await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)
        finally:
            body.close()

    def _respond(self, scope: Any, body: Any) -> Any:
        """The response; closed already, unless it streams."""
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if response.streaming:
            connections.close_all()  # for as long as it streams, this thread has other things to do
        else:
            response.close()
        return response

    async def _stream(self, response: Any, receive: Any, send: Any) -> None:
        """Send until there is no more, or nobody there."""
        async with ThreadSensitiveContext():
            sending = asyncio.ensure_future(self.send_response(response, send))
            leaving = asyncio.ensure_future(receive())
            try:
                await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                [failed, _] = await asyncio.gather(sending, leaving, return_exceptions=True)
                await _in_thread(response.close)
        if isinstance(failed, Exception):
            raise failed


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_executor, contextvars.copy_context().run, work)
