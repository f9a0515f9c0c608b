"""A WebSocket byte by byte: what no library would send."""

import base64
import os
import select
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

TEXT, BINARY, CONTINUATION, PING = 0x1, 0x2, 0x0, 0x9
CLOSE = 0x8


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, claims: int = -1) -> bytes:
    """A client's frame (RFC 6455 section 5.2), which may claim another length than it has."""
    length = len(payload) if claims < 0 else claims
    head = bytes([opcode | (0x80 if final else 0)])
    mask = 0x80 if masked else 0
    if length < 126:
        head += bytes([mask | length])
    elif length < 2**16:
        head += struct.pack("!BH", mask | 126, length)
    else:
        head += struct.pack("!BQ", mask | 127, length)
    return head + (b"\0\0\0\0" if masked else b"") + payload  # a mask of zeros changes nothing


class RawSocket:
    """A TCP connection to a server; blocks, so it is used in a thread."""

    def __init__(self, port: int) -> None:
        self.tcp = socket.create_connection(("127.0.0.1", port), 5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tcp.close()

    def shake_hands(self) -> Self:
        key = base64.b64encode(os.urandom(16)).decode()
        self.tcp.sendall(
            "GET /ws/ HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.tcp.recv(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        return self

    def send(self, data: bytes) -> bool:
        """Whether the server still takes something."""
        try:
            self.tcp.sendall(data)
        except OSError:
            return False
        return True

    def hears(self, seconds: float) -> bool:
        """Whether the server says something, or hangs up, within a while."""
        return bool(select.select([self.tcp], [], [], seconds)[0])

    def end(self, seconds: float) -> int | None:
        """Read until the server says a close code, or hangs up without one. Raises TimeoutError."""
        self.tcp.settimeout(seconds)
        read, code = b"", None
        with suppress(ConnectionError):
            while code is None and (piece := self.tcp.recv(65536)):
                read += piece
                code = _close_code(read)
        return code


def _close_code(read: bytes) -> int | None:
    """The code of the first close frame among a server's frames."""
    while len(read) >= 2:
        opcode, length, start = read[0] & 0xF, read[1], 2
        if length == 126:
            length, start = struct.unpack("!H", read[2:4])[0], 4
        if opcode == CLOSE and len(read) >= start + 2:
            return int(struct.unpack("!H", read[start : start + 2])[0])
        read = read[start + length :]
    return None
