"""What only a real server shows: limits while a file comes in, uploads that break off, constant memory."""

import asyncio
import http.client
import json
import os
import socket
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from conversations.models import File, FileChunk
from tests.faults.cluster import Cluster, Web
from tests.serving import eventually

MEGABYTE = 1024 * 1024
LIMIT = 20 * MEGABYTE
PIECE = os.urandom(MEGABYTE)
# Less than the file. What goes to and from the database and the network at the same time, and what the allocator
# keeps of it, was 14 MB in the worst of many runs.
MEMORY = 19 * MEGABYTE


class Client:
    """Speaks HTTP with one web server as `user`, without keeping a whole file in memory."""

    def __init__(self, web: Web, token: str, conversation: UUID) -> None:
        self.web = web
        self.headers = {"Authorization": f"Bearer {token}"}
        field = f'--between-the-parts\r\nContent-Disposition: form-data; name="conversation"\r\n\r\n{conversation}\r\n'
        file = '--between-the-parts\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        self.before = f"{field}{file}".encode()
        self.after = b"\r\n--between-the-parts--\r\n"

    def body(self, size: int) -> Iterable[bytes]:
        yield self.before
        for at in range(0, size, MEGABYTE):
            yield PIECE[: min(MEGABYTE, size - at)]
        yield self.after

    def upload(self, size: int, *, announced: bool = True) -> tuple[int, Any]:
        """The status and the JSON of the answer; chunked where the length is not announced."""
        link = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        length = len(self.before) + size + len(self.after)
        headers = {**self.headers, "Content-Type": "multipart/form-data; boundary=between-the-parts"}
        if announced:
            headers["Content-Length"] = str(length)
        with closing(link):
            link.request("POST", "/api/v1/files/", self.body(size), headers, encode_chunked=not announced)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())

    def download(self, id_: str) -> int:
        """Compare all that comes with what was sent; its size."""
        link = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=60)
        with closing(link):
            link.request("GET", f"/api/v1/files/{id_}/", headers=self.headers)
            answer, size = link.getresponse(), 0
            while piece := answer.read(MEGABYTE):
                assert piece == PIECE[: len(piece)]
                size += len(piece)
            return size

    def break_off(self, announced: int, sent: int) -> None:
        """Say that so much will come, send less, and vanish."""
        with socket.create_connection(("127.0.0.1", self.web.port), 10) as raw:
            lines = [
                "POST /api/v1/files/ HTTP/1.1", "Host: localhost", f"Content-Length: {announced}",
                "Content-Type: multipart/form-data; boundary=between-the-parts",
                *(f"{name}: {value}" for name, value in self.headers.items()),
            ]  # fmt: skip
            raw.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + self.before)
            for _ in range(0, sent, MEGABYTE):
                raw.sendall(PIECE)


async def test_large_files_at_a_real_server(alice: User, conversation: UUID, tmp_path: Path) -> None:
    access = (await in_thread(tokens.issue, alice))["access"]
    async with Cluster(tmp_path, webs=1, workers=0) as running:
        client = Client(running.webs[0], access, conversation)
        process = psutil.Process(running.webs[0].process.pid)
        first = await asyncio.to_thread(client.upload, MEGABYTE)  # everything is loaded now
        assert first[0] == 201, first
        before = process.memory_info().rss
        peak = asyncio.create_task(_peak(process))
        status, row = await asyncio.to_thread(client.upload, LIMIT)
        assert (status, row.get("size")) == (201, LIMIT)
        assert await asyncio.to_thread(client.download, row["id"]) == LIMIT
        peak.cancel()
        assert await peak - before < MEMORY
        for size, announced in ((LIMIT + 1, True), (LIMIT + 1, False), (LIMIT + MEGABYTE, False)):
            status, problem = await asyncio.to_thread(client.upload, size, announced=announced)
            assert (status, problem["code"]) == (413, "too_large")
        await asyncio.to_thread(client.break_off, LIMIT, 5 * MEGABYTE)
        await asyncio.to_thread(eventually, lambda: not _holds_a_file(process))
        sizes = File.objects.filter(conversation=conversation).order_by("size").values_list("size", flat=True)
        assert await in_thread(list, sizes) == [MEGABYTE, LIMIT]
        chunks = FileChunk.objects.filter(file__conversation=conversation)
        assert await in_thread(chunks.count) == 4 + 80
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


async def _peak(process: psutil.Process) -> int:
    """The most that it had until this is cancelled."""
    most = 0
    try:
        while True:
            most = max(most, process.memory_info().rss)
            await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        return most


def _holds_a_file(process: psutil.Process) -> bool:
    """Whether it has a temporary file open, which has no name."""
    links = (Path(f"/proc/{process.pid}/fd") / name for name in os.listdir(f"/proc/{process.pid}/fd"))
    return any("(deleted)" in os.readlink(link) for link in links)
