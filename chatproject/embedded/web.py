"""The programs of the product itself: web servers on one shared socket, and job workers."""

import http.client
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout
from chatproject.embedded.processes import Program

APPLICATION = "chatproject.asgi:application"
HIGHEST_PORT = 65535
BACKLOG = 2048
# Whoever stops everything on one machine does not want to wait for long.
DRAIN_SECONDS = "5"
# Where one who listens everywhere is reached from here.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
# The servers limit the frames. The application keeps the heartbeat, so theirs are off. Compression would cost
# half a megabyte a connection. Daphne's one limit goes for what it sends too, and it drops who passes it without a
# close code: the application closes (1009) long before.
SERVERS = {
    "uvicorn": (
        "-m chatproject.embedded.punctual --ws=websockets-sansio --ws-max-size={frame_bytes} --ws-ping-interval=0 "
        "--ws-per-message-deflate=false --lifespan=off --no-server-header --no-proxy-headers "
        "--no-access-log --log-level=warning --timeout-graceful-shutdown=5"
    ),
    "daphne": (
        "-m chatproject.embedded.daphne "
        "--websocket-max-message-size={most_bytes} --websocket-max-frame-size={most_bytes} "
        "--ping-interval=2000000 --ping-timeout=2000000 --no-server-name --verbosity=0"
    ),
}


@dataclass(frozen=True)
class Address:
    """Where the product is reached."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any free one). Raises StartError where it cannot."""
    if not 0 <= port <= HIGHEST_PORT:
        raise StartError(f"PORT is {port}; set it to a number up to {HIGHEST_PORT}, or unset it.")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(
            f"HOST {host} is no address of this machine ({error}): set HOST, for example to 127.0.0.1."
        ) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # What it accepts inherits this; servers that are handed a descriptor do not set it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(
            f"Cannot listen on {host} port {port} ({error.strerror}): set PORT (or HOST) to a free one."
        ) from error
    return listener


def arguments(server: str, *, frame_bytes: int, batch_bytes: int) -> list[str]:
    """Return Python's arguments for one of SERVERS, but for where it listens and what it serves; the bytes are those
    of a message from and to a client at most."""
    return SERVERS[server].format(frame_bytes=frame_bytes, most_bytes=4 * batch_bytes).split()


def web(
    layout: Layout,
    base_dir: Path,
    listener: socket.socket,
    *,
    number: int,
    server: str,
    frame_bytes: int,
    batch_bytes: int,
) -> Program:
    """Return web server `number` on the shared `listener`; `server` is one of SERVERS."""
    limits = {"frame_bytes": frame_bytes, "batch_bytes": batch_bytes}
    return Program(
        name=f"web {number}",
        argv=[sys.executable, *arguments(server, **limits), f"--fd={listener.fileno()}", APPLICATION],
        data_dir=layout.data_dir,
        environment=environment(layout),
        cwd=base_dir,
        pass_fds=(listener.fileno(),),
    )


def command(layout: Layout, base_dir: Path, name: str, *arguments: str) -> Program:
    """Return the program that runs `manage.py` with `arguments`."""
    return Program(
        name=name,
        argv=[sys.executable, base_dir / "manage.py", *arguments],
        data_dir=layout.data_dir,
        environment=environment(layout),
        cwd=base_dir,
        patience=15,
    )


def environment(layout: Layout) -> dict[str, str]:
    """Return our own environment with what all processes of the product must agree on."""
    shared = {
        "DATA_DIR": str(layout.data_dir),
        "PROMETHEUS_MULTIPROC_DIR": str(layout.metrics),
        "PYTHONUNBUFFERED": "1",
    }
    return {"DRAIN_SECONDS": DRAIN_SECONDS, **os.environ, **shared}


def answers(listener: socket.socket) -> bool:
    """Whether a web server behind `listener` answers HTTP, whatever it says."""
    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection(LOOPBACK.get(host, host), port, timeout=2)
    try:
        connection.request("GET", "/livez")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
