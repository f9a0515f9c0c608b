"""`manage.py worker`: answers what is queued."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app

from conversations.assistants import runner, sweeper

GRACE_SECONDS = 5


class Command(BaseCommand):
    help = "Take turns for the assistants until stopped; any number of workers may run."

    def handle(self, *args: Any, **options: Any) -> None:
        self.check(tags=["start"], include_deployment_checks=True, databases=["default"])
        sweeper.start()
        asyncio.run(_work())


async def _work() -> None:
    watch = asyncio.create_task(runner.watch())
    worker_app = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    try:
        async with worker_app.open_async():
            await worker_app.run_worker_async(
                name=runner.WORKER,
                concurrency=settings.WORKER_CONCURRENCY,
                delete_jobs="always",
                shutdown_graceful_timeout=GRACE_SECONDS,
                fetch_job_polling_interval=2,
            )
    finally:
        watch.cancel()
