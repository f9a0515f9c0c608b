"""A network line that can be cut, or lets no WebSocket through: a TCP relay in front of the product, on loopback."""

import asyncio
import threading
from contextlib import suppress
from typing import Any, Literal, Self

REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# What becomes of a request for a WebSocket: an error, silence, or an end without an answer.
Blockade = Literal["refuse", "swallow", "drop"]


class Line:
    """Relays to `port` from `__enter__` to `__exit__`, in a thread with a loop of its own."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self._blockade: Blockade | None = None
        self.blocked = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._sockets: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.mend()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Every connection breaks, and no new one can be made."""
        self._run(self._cut())

    def mend(self) -> None:
        """Connections can be made again."""
        self._run(self._listen())

    def block(self, how: Blockade) -> None:
        """No WebSocket gets through any more, and those that are open break; everything else goes on."""
        self._blockade = how
        self._run(self._break_sockets())

    def unblock(self) -> None:
        """WebSockets get through again."""
        self._blockade = None

    async def _break_sockets(self) -> None:
        for writer in list(self._sockets):
            writer.transport.abort()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            head = await reader.read(65536)
            wants_socket = b"upgrade: websocket" in head.lower()
            if wants_socket and self._blockade:
                return await self._stop(reader, writer, self._blockade)
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            back.write(head)
            if wants_socket:
                self._sockets.add(writer)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _stop(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: Blockade) -> None:
        self.blocked += 1
        if how == "swallow":
            await reader.read()  # until the browser gives up
        elif how == "refuse":
            writer.write(REFUSAL)
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            self._sockets.discard(writer)
            writer.close()
