"""Writers of messages without sockets, in a process of their own, for `bench.groupcommit`; prints JSON.

Each writer appends to a conversation of its own, one message after the other: through the product's group commit, or
each with a transaction and a commit of its own, from as many connections as serve that best.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

from bench.engine.sockets import PADDINGS

Submit = Callable[[Any], "Future[Any]"]

WARM_UP_SECONDS = 0.3
# Connections of those who commit alone, of which the better counts: more than one core serves well, and more.
ALONE = (8, 24)

# Microseconds that a flush of PostgreSQL's log takes longer than the disk does.
FLUSHES = {"as the disk is": 0, "2 ms": 2000}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--writers", type=int, default=256)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--repeat", type=int, default=5)
    given = options.parse_args()
    import django

    django.setup()
    writers = Writers(given.writers)
    print(json.dumps({flush: writers.measured(given.repeat, given.seconds, flush) for flush in FLUSHES}))


def _alone(connections: int) -> Submit:
    """Commits of their own, so many at the same time."""
    from conversations import eventlog

    pool = ThreadPoolExecutor(connections)
    return lambda append: pool.submit(eventlog.append_alone, append)


class Writers:
    """Their conversations, and what is measured of them."""

    def __init__(self, count: int) -> None:
        from bench import filling
        from conversations import eventlog
        from conversations.services import conversations

        self.user = filling.somebody()
        made = [conversations.create(user=self.user, title="Writers") for _ in range(count)]
        self.conversations = [one.result(60).conversation.id for one in made]
        self.failures: Counter[str] = Counter()
        self.ways = {"together": eventlog.submit, **{f"alone, {size} connections": _alone(size) for size in ALONE}}

    def measured(self, repeat: int, seconds: float, flush: str) -> dict[str, list[tuple[float, float]]]:
        """Appends per second and p50 in milliseconds, turn by turn."""
        slow_flushes(FLUSHES[flush])
        for submit in self.ways.values():  # until all connections are there
            self.run(submit, self.conversations, WARM_UP_SECONDS)
        self.failures.clear()
        found: dict[str, list[tuple[float, float]]] = {}
        for _ in range(repeat):
            for name, submit in self.ways.items():
                many, _ = self.run(submit, self.conversations, seconds)
                _, lone = self.run(submit, self.conversations[:1], seconds)
                found.setdefault(name, []).append((many, lone))
        for failure, count in self.failures.items():
            print(f"{count} × {failure}", file=sys.stderr)
        return found

    def run(self, submit: Submit, places: list[UUID], seconds: float) -> tuple[float, float]:
        """Appends per second, and the median time of one in milliseconds."""
        taken: list[float] = []
        over, left = Event(), [len(places)]
        done_at = time.perf_counter() + WARM_UP_SECONDS + seconds

        def write(place: UUID, number: int) -> None:
            began = time.perf_counter()
            submit(self.append(place, number)).add_done_callback(lambda future: again(future, place, number, began))

        def again(future: "Future[Any]", place: UUID, number: int, began: float) -> None:
            now, failed = time.perf_counter(), future.exception()
            if failed:
                self.failures[str(failed)] += 1
            elif began > done_at - seconds:
                taken.append(now - began)
            if now < done_at:
                return write(place, number + 1)
            left[0] -= 1
            return over.set() if not left[0] else None

        for place in places:
            write(place, 0)
        assert over.wait(30 + seconds), "writers hang"
        return len(taken) / seconds, 1000 * statistics.median(taken or [float("inf")])

    def append(self, place: UUID, number: int) -> Any:
        """What a person says, as `messages.send` has it written."""
        from chatproject.lib.ids import new_id
        from conversations.actors import Actor
        from conversations.appends import Append, Decision, Draft

        text = PADDINGS[number % len(PADDINGS)].decode()
        draft = Draft("message:new", {"message": str(new_id()), "text": text, "action": "chat"})
        return Append(place, Actor.of(self.user), str(new_id()), lambda _: Decision([draft]), drafts=[draft])


def slow_flushes(microseconds: int) -> None:
    """Have PostgreSQL wait so long before each flush of its log, as a usual disk does."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET commit_siblings = 0")
        cursor.execute(f"ALTER SYSTEM SET commit_delay = {microseconds}")
        cursor.execute("SELECT pg_reload_conf()")
    time.sleep(0.2)


if __name__ == "__main__":
    main()
