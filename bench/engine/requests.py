"""What an open chat page asks for by HTTP, and the little HTTP that this needs."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

# As in the page's own scripts (conversations/static/conversations/chat.js).
READ_SECONDS = 1.0
# What the page shows by itself, and need not ask for (plain.js; of its letters those that are said here).
PLAIN = re.compile(r"(?!\d+[.)])[^\W_](?:[^\W_]|[ ,;:.?!'()-])*(?<! )")
# What Django's check wants twice, from a cookie and from a header.
CSRF = "b" * 32


class Connection:
    """One HTTP connection that is kept, one request at a time."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, form: str | None = None) -> int:
        """The status of the answer to a GET, or to a POST of `form`, once all of it is here.

        Raises OSError or EOFError.
        """
        async with self._lock:
            try:
                return await self._ask(path, form)
            except (OSError, EOFError):
                # The server closes what is not used for a while; browsers try again, too.
                self.close()
                return await self._ask(path, form)

    async def _ask(self, path: str, form: str | None) -> int:
        if self._streams is None or self._streams[1].is_closing():
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(self._request(path, form).encode())
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        lengths = [int(field.partition(b":")[2]) for field in fields if field.startswith(b"content-length:")]
        await reader.readexactly(sum(lengths))
        return int(status.split()[1])

    def _request(self, path: str, form: str | None) -> str:
        fields = [f"Host: localhost\r\nAccept: text/html\r\nCookie: {self._cookie}; csrftoken={CSRF}"]
        if form is None:
            return "\r\n".join([f"GET {path} HTTP/1.1", *fields, "", ""])
        fields += [f"X-CSRFToken: {CSRF}", "Content-Type: application/x-www-form-urlencoded"]
        return "\r\n".join([f"POST {path} HTTP/1.1", *fields, f"Content-Length: {len(form)}", "", form])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


class Requests:
    """What one open page asks for by HTTP when something is said, as its scripts do; `note(kind, ms)` is told of each
    answer, with None for one that failed."""

    def __init__(self, port: int, cookie: str, conversation: str, note: Callable[[str, float | None], None]) -> None:
        self.base = f"/c/{conversation}/"
        self.tasks: set[asyncio.Task[None]] = set()
        self._http = Connection(port, cookie)
        self._note = note
        self._closed = False

    def said(self, event: dict[str, Any]) -> None:
        """`message:new` came in, from a person to whom no assistant answers."""
        if not PLAIN.fullmatch(event["data"]["text"]):
            self.ask("message page", f"{self.base}m/{event['data']['message']}/")

    def ask(self, kind: str, path: str, form: str | None = None) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(self._ask(kind, path, form))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def close(self) -> None:
        self._closed = True
        self._http.close()

    async def _ask(self, kind: str, path: str, form: str | None) -> None:
        began = time.monotonic()
        try:
            status = await self._http.ask(path, form)
        except (OSError, EOFError):
            status = 0
        if not self._closed:
            self._note(kind, (time.monotonic() - began) * 1000 if 200 <= status < 300 else None)
