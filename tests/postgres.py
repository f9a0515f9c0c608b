"""A PostgreSQL of a test's own, to be stopped, hung, filled up and started again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from chatproject import embedded
from chatproject.embedded.layout import Layout
from chatproject.embedded.orphans import end_orphans, find_orphans
from chatproject.embedded.progress import Progress
from chatproject.embedded.services import prepare, start_services
from chatproject.embedded.supervisor import Supervisor
from tests.serving import BASE_DIR

END_SECONDS = 30


class Postgres:
    """A server with a cluster of its own, which goes with it; `database` gives migrated databases."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chat-postgres-")).resolve()
        self.folder.chmod(0o711)
        self.layout = Layout(self.folder)
        self._supervisor = Supervisor(Progress())

    def __enter__(self) -> Self:
        prepare(self.layout)
        self.start()
        self.url = embedded.urls(self.folder)[0]
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, cwd=BASE_DIR, env={**os.environ, "DATABASE_URL": self.url}, check=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on()
        self._supervisor.stop()
        end_orphans(find_orphans(self.folder))
        for outside in (self.layout.sockets, self.layout.services, self.folder):
            shutil.rmtree(outside, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._supervisor.children.clear()
        start_services(self._supervisor, self.layout, with_redis=False)

    def stop(self) -> None:
        """Have it end at once, without a goodbye to anybody (`pg_ctl stop -m immediate`)."""
        process = self._supervisor.children[0].process
        process.send_signal(signal.SIGQUIT)
        process.wait(END_SECONDS)

    def restart(self) -> None:
        self.stop()
        self.start()

    def hang(self) -> None:
        """Have it take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in find_orphans(self.folder):
            process.send_signal(number)

    def run(self, statement: str, *parameters: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as an administrator, in autocommit; its rows."""
        with psycopg.connect(self.address(database), autocommit=True) as link:
            cursor = link.execute(sql.SQL(statement), parameters)
            return cursor.fetchall() if cursor.description else []

    def database(self, name: str, more: str = "") -> str:
        """The address of a new database with all tables and no rows of anybody."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE chat {more}')
        return self.address(name)

    def address(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
