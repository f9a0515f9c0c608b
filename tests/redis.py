"""A Redis of a test's own, to be stopped, hung and started again."""

import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chatproject.embedded.redis_server import installed


class Redis:
    """Listens on a Unix socket in a folder of its own, which goes with it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chat-redis-"))
        self.url = f"unix://{self.folder}/redis.sock"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        arguments = [
            "--port",
            "0",
            "--unixsocket",
            f"{self.folder}/redis.sock",
            "--save",
            "",
            "--dir",
            str(self.folder),
        ]
        self.process = subprocess.Popen([installed(), *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.answers():
            assert time.monotonic() < deadline, "Redis does not start"
            time.sleep(0.01)

    def answers(self) -> bool:
        try:
            return bool(self.client().ping())
        except redis.ConnectionError:
            return False

    def client(self) -> "redis.Redis":
        return redis.Redis.from_url(self.url, retry=Retry(NoBackoff(), 0))

    def stop(self) -> None:
        """End it at once; what it held is gone."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Have it take connections and commands, and answer nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)
