"""A scripted model: OpenAI's Chat Completions over real HTTP on loopback.

The last user message says what happens, see SCRIPTS; any other is echoed:

    with Provider() as provider:          # OPENAI_BASE_URL=provider.url
        ... "slow 50 20" ...              # 50 words, 20 ms between them
        assert provider.last.closed.wait(1)
"""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Self

Pieces = AsyncIterator[str | bytes]
SEPARATED = "one\u2028two\u2029three\x85four"
UNICODE = ["Grüße ", "👋🏽 ", "你好，", "世界 ", "e\u0301 ", "\ud83d", " end"]


class Request:
    """One request: its `body`, the `text` of the last user message, and whether its connection is `closed`."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        said = [_text(message["content"]) for message in body["messages"] if message["role"] == "user"]
        self.text: str = said[-1] if said else ""
        self.closed = threading.Event()
        self.at = time.monotonic()

    @property
    def results(self) -> list[str]:
        """What the tools gave that were called since the last user message."""
        roles = [message["role"] for message in self.body["messages"]]
        since = len(roles) - roles[::-1].index("user") if "user" in roles else 0
        return [message["content"] for message in self.body["messages"][since:] if message["role"] == "tool"]


def _text(content: Any) -> str:
    """What a message says beside its pictures."""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


class Provider:
    """Serves from `__enter__` to `__exit__` in a thread with a loop of its own. With `per_second`, more requests than
    that are answered 429, with a Retry-After."""

    def __init__(self, per_second: int = 0) -> None:
        self.requests: list[Request] = []
        self.per_second = per_second
        self.refused = 0
        self.url = ""
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="provider", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    @property
    def last(self) -> Request:
        return self.requests[-1]

    def asked(self, text: str) -> list[Request]:
        """The requests whose last user message is `text`."""
        return [request for request in self.requests if request.text == text]

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._open: set[asyncio.Task[Any]] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._over.wait()
        server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await _read(reader)
        if body is None:
            return await _tell_models(writer)
        request = Request(body)
        if self.per_second and sum(request.at - one.at < 1 for one in self.requests) >= self.per_second:
            self.refused += 1
            return await _refuse(writer, 429, "1")
        self.requests.append(request)
        script = asyncio.create_task(_play(request, writer, len(self.asked(request.text))))
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({script, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                request.closed.set()
        finally:
            script.cancel()
            gone.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await script


async def _tell_models(writer: asyncio.StreamWriter) -> None:
    models = [{"id": "scripted", "object": "model", "created": 1, "owned_by": "us"}]
    body = json.dumps({"object": "list", "data": models}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
    await writer.drain()


async def _read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The body of a request; None where the list of models is asked for."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    if head.startswith("get "):
        return None
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body: dict[str, Any] = json.loads(await reader.readexactly(length))
    return body


async def _play(request: Request, writer: asyncio.StreamWriter, times: int) -> None:
    """Play the script; `times` is how often this text was said, this time included."""
    name, *arguments = request.text.split() or [""]
    if name == "status":
        return await _refuse(writer, int(arguments[0]))
    if name == "flaky" and times <= int(arguments[0]):
        return await _refuse(writer, int(arguments[1]), *arguments[2:])
    if name == "hang":
        return await asyncio.sleep(3600)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
    writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    if name == "tool" and not request.results:
        return await _call_tools(request, writer)
    script = _tell(request.results) if name == "tool" else SCRIPTS.get(name, _echo)(request.text, *arguments)
    async for piece in script:
        _write_event(writer, piece if isinstance(piece, bytes) else _chunk(delta={"content": piece}))
        await writer.drain()
    if name == "cut":
        return None
    return await _finish(request, writer, "stop")


async def _finish(request: Request, writer: asyncio.StreamWriter, reason: str) -> None:
    _write_event(writer, _chunk(delta={}, finish_reason=reason))
    if request.body.get("stream_options", {}).get("include_usage"):
        _write_event(writer, _usage())
    _write_event(writer, b"[DONE]")
    writer.write(b"0\r\n\r\n")
    return await writer.drain()


async def _call_tools(request: Request, writer: asyncio.StreamWriter) -> None:
    """`tool add {"a": 1}; add {"a": 2}`: both calls in one round, their arguments in pieces."""
    for index, wanted in enumerate(request.text.removeprefix("tool ").split("; ")):
        name, _, arguments = wanted.partition(" ")
        first = {"index": index, "id": f"call-{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        _write_event(writer, _chunk(delta={"tool_calls": [first]}))
        for piece in (arguments[:3], arguments[3:]):
            _write_event(writer, _chunk(delta={"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
        await writer.drain()
    await _finish(request, writer, "tool_calls")


async def _tell(results: list[str]) -> Pieces:
    yield f"The tools say: {', '.join(results)}"


async def _refuse(writer: asyncio.StreamWriter, status: int, retry_after: str = "") -> None:
    body = json.dumps({"error": {"message": "secret-of-the-provider", "type": "scripted", "code": None}}).encode()
    head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    head += f"Retry-After: {retry_after}\r\n" if retry_after else ""
    writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
    await writer.drain()


def _write_event(writer: asyncio.StreamWriter, data: bytes) -> None:
    event = b"data: " + data + b"\n\n"
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")


def _chunk(**choice: Any) -> bytes:
    """One chunk of a completion; ASCII, so that lone surrogates travel as escapes."""
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return json.dumps({**COMPLETION, "choices": choices}).encode()


def _usage() -> bytes:
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return json.dumps({**COMPLETION, "choices": [], "usage": usage}).encode()


async def _echo(text: str, *_: str) -> Pieces:
    yield f"You said: {text}"


async def _say(text: str, *words: str) -> Pieces:
    for word in text.removeprefix("say ").split(" "):
        yield f"{word} "


async def _slow(_: str, count: str = "50", milliseconds: str = "20") -> Pieces:
    for number in range(int(count)):
        yield f"word{number} "
        await asyncio.sleep(int(milliseconds) / 1000)


async def _stall(_: str) -> Pieces:
    yield "Wait "
    await asyncio.sleep(3600)


async def _cut(_: str, count: str = "3") -> Pieces:
    for number in range(int(count)):
        yield f"word{number} "
    await asyncio.sleep(0.1)


async def _garbage(_: str) -> Pieces:
    yield "Half "
    await asyncio.sleep(0.1)
    yield b'{"choices": [{"delta": {"content": '


async def _error(_: str) -> Pieces:
    yield "Half "
    await asyncio.sleep(0.1)
    yield json.dumps({"error": {"message": "secret-of-the-provider", "type": "scripted"}}).encode()


async def _unicode(_: str) -> Pieces:
    for piece in UNICODE:
        yield piece
        await asyncio.sleep(0.05)


async def _raw(_: str) -> Pieces:
    """As most providers write: not in ASCII, so that what Python takes for ends of lines stands within one."""
    yield json.dumps({**COMPLETION, "choices": [{"delta": {"content": SEPARATED}}]}, ensure_ascii=False).encode()


async def _halves(_: str) -> Pieces:
    for piece in ("\ud83d", "\udc4b\ud83d", "\udc4b end"):
        yield piece


async def _long(_: str, length: str) -> Pieces:
    for _start in range(0, int(length), 1000):
        yield "long text " * 100


COMPLETION = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "scripted"}
# `status 429` refuses and `flaky 2 503 1` does so the first two times (with a Retry-After of 1); `tool add {"a": 1}`
# calls a tool and then says what it gave; `hang` never answers; `cut 3` drops the connection after 3 words,
# `garbage` sends broken JSON and `error` an error event after one word; `stall` says nothing after one word.
SCRIPTS: dict[str, Callable[..., Pieces]] = {
    "say": _say,
    "slow": _slow,
    "stall": _stall,
    "cut": _cut,
    "garbage": _garbage,
    "error": _error,
    "unicode": _unicode,
    "raw": _raw,
    "halves": _halves,
    "long": _long,
}
