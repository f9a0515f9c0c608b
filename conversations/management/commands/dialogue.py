"""`manage.py dialogue`: do assistants answer as they should?"""

import argparse
import asyncio
import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import users
from conversations.dialogues import remote, reporting, script
from conversations.dialogues.local import Local
from conversations.dialogues.playing import Played, Stage
from conversations.dialogues.remote import Remote
from conversations.dialogues.script import Trajectory

ROBOT = "dialogue-tests"
KEY = "DIALOGUE_API_KEY"


class Command(BaseCommand):
    help = (
        "Play scripted dialogues (docs/dialogue-tests.md) and compare the answers with what is expected. Ends with 1"
        " where a score is below the minimum, with 2 where the file cannot be read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--assistant", metavar="NAME", help="who answers where the file does not say")
        parser.add_argument("--concurrency", type=_count, default=1, metavar="N", help="dialogues at the same time")
        parser.add_argument("--repeat", type=_count, default=1, metavar="N", help="play all of them so many times")
        parser.add_argument("--minimum", type=_share, default=1.0, metavar="SCORE", help="0 to 1; 1 unless given")
        parser.add_argument("--seconds", type=_count, default=60, metavar="N", help="an answer may take this long")
        parser.add_argument("--junit", type=Path, metavar="FILE", help="write a report for a CI server")
        parser.add_argument("--user", metavar="NAME", help=f"as whom; {ROBOT} unless given")
        parser.add_argument("--url", metavar="URL", help=f"play with the instance there, with the API key in {KEY}")
        parser.add_argument("--worker", action="store_true", help="answer in this process: no worker need be running")

    def handle(self, *args: Any, file: Path, minimum: float, junit: Path | None, **options: Any) -> None:
        trajectories = self._read(file) * options["repeat"]
        stage = self._stage(**options)
        began = time.monotonic()
        all_played = asyncio.run(self._play(stage, trajectories, options["concurrency"], minimum))
        seconds = time.monotonic() - began
        if junit:
            reporting.write_junit(junit, file.name, all_played, seconds, minimum)
        self.stdout.write(reporting.summary(all_played, seconds, minimum))
        if any(played.score < minimum for played in all_played):
            raise CommandError(f"Not all dialogues have a score of {minimum:g}.", returncode=1)

    def _stage(
        self, assistant: str | None, seconds: int, user: str | None, worker: bool, url: str | None, **_: Any
    ) -> Stage:
        if url is None:
            # Limits are for people; the workers' own still hold.
            settings.LIMITS_APPLY = False
            robot = users.ensure_robot(user or ROBOT)
            return Local(assistant=assistant, seconds=seconds, user=robot, answers=worker)
        if user or worker:
            raise CommandError("With --url, the API key says as whom, and workers there answer.", returncode=2)
        key = os.environ.get(KEY, "")
        if not key or not url.startswith(("http://", "https://")):
            raise CommandError(f"--url is an address with http:// or https://, and {KEY} an API key.", returncode=2)
        return Remote(assistant=assistant, seconds=seconds, http=remote.client(url, key))

    def _read(self, file: Path) -> list[Trajectory]:
        try:
            return script.read(file)
        except script.BadScript as error:
            raise CommandError(str(error), returncode=2) from error

    async def _play(
        self, stage: Stage, trajectories: list[Trajectory], concurrency: int, minimum: float
    ) -> list[Played]:
        all_played = []
        async for played in stage.play(trajectories, concurrency):
            all_played.append(played)
            for line in reporting.lines(played, minimum):
                self.stdout.write(line)
        return all_played


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be 1 or more")
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError("it must be from 0 to 1")
    return number
