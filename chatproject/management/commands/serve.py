"""`manage.py serve`: the whole product on this machine, until Ctrl-C."""

import signal
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from chatproject.embedded.errors import StartError
from chatproject.embedded.progress import Progress
from chatproject.embedded.serving import Plan, Serving
from chatproject.embedded.web import SERVERS
from chatproject.lib import environment as env


class Command(BaseCommand):
    """Starts PostgreSQL and Redis (unless DATABASE_URL and REDIS_URL name them), web servers and workers."""

    help = "Runs the whole product on this machine until Ctrl-C."
    # They may want the database, which is not there yet; `prepare` runs them.
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. Raises CommandError, which ends with exit code 1 and one sentence, where it cannot."""
        try:
            serving = Serving(plan(), Progress())
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, lambda *_: serving.supervisor.ask_to_stop())
            serving.run()
        except (StartError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error


def plan() -> Plan:
    """Read the settings of `serve`. Raises ImproperlyConfigured for one that cannot be."""
    return Plan(
        data_dir=settings.DATA_DIR,
        base_dir=settings.BASE_DIR,
        host=env.text("HOST", "127.0.0.1"),
        port=env.number("PORT", 8000),
        server=server(),
        web_processes=env.number("WEB_PROCESSES", 1, least=1),
        worker_processes=env.number("WORKER_PROCESSES", 1),
        frame_bytes=settings.FRAME_MAX_BYTES,
        batch_bytes=settings.BATCH_MAX_BYTES,
        with_postgres=not env.text("DATABASE_URL"),
        with_redis=not env.text("REDIS_URL"),
    )


def server() -> str:
    """Return the name of the web server. Raises ImproperlyConfigured for one that is not known."""
    name = env.text("SERVER", "uvicorn")
    if name not in SERVERS:
        raise ImproperlyConfigured(f"SERVER is {name!r}; set it to {' or '.join(SERVERS)}, or unset it.")
    return name
