"""To a real server, in the form in which tests speak with the application: of a WebSocket, and of an HTTP request."""

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Message = dict[str, Any]


class Link:
    """A WebSocket, with the methods of channels' WebsocketCommunicator that tests use."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.output_queue: asyncio.Queue[Message] = asyncio.Queue()

    async def connect(self) -> tuple[bool, None]:
        self._link: ClientConnection = await connect(
            self._address, close_timeout=2, ping_interval=None, max_size=None, max_queue=None
        )
        self._reading = asyncio.create_task(self._read())
        return True, None

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._link:
                self.output_queue.put_nowait({"type": "websocket.send", "text": text})
        self.output_queue.put_nowait({"type": "websocket.close", "code": self._link.close_code})

    async def send_input(self, message: Message) -> None:
        data = message["bytes"] if message.get("text") is None else message["text"]
        with suppress(ConnectionClosed):  # before it had read all of it; `receive_output` gives the code
            await self._link.send(data)

    async def send_to(self, text_data: str) -> None:
        await self.send_input({"text": text_data})

    async def receive_output(self, seconds: float) -> Message:
        async with asyncio.timeout(seconds):
            return await self.output_queue.get()

    async def receive_nothing(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return self.output_queue.empty()

    async def disconnect(self) -> None:
        await self._link.close()
        await self._reading


class Answer(Protocol):
    """What takes the messages of an answer, as an ASGI application sends them."""

    async def take(self, message: Message) -> None: ...


async def send_request(port: int, scope: Message, inbox: asyncio.Queue[Message], answer: Answer) -> None:
    """Send the request of an ASGI scope to a server, and hand over its answer until either side ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        body = (await inbox.get())["body"]
        path = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
        writer.write(f"{scope['method']} {path} HTTP/1.1\r\n".encode())
        writer.write(b"".join(name + b": " + value + b"\r\n" for name, value in scope["headers"]) + b"\r\n" + body)
        reading = asyncio.create_task(_hand_over(reader, answer))
        leaving = asyncio.create_task(inbox.get())
        await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (reading, leaving):
            task.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)
    finally:
        writer.close()


async def _hand_over(reader: asyncio.StreamReader, answer: Answer) -> None:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    headers = [(name.lower(), value.strip()) for name, value in (line.split(b":", 1) for line in lines)]
    await answer.take({"type": "http.response.start", "status": int(first.split()[1]), "headers": headers})
    length = dict(headers).get(b"content-length")
    if length is not None:
        await answer.take({"type": "http.response.body", "body": await reader.readexactly(int(length))})
    else:
        while size := int(await reader.readline(), 16):
            piece = (await reader.readexactly(size + 2))[:-2]
            await answer.take({"type": "http.response.body", "body": piece, "more_body": True})
        await answer.take({"type": "http.response.body", "body": b""})
