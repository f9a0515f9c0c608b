"""What people do on the chat page, for Locust: log in, look at the list, open a conversation, talk, lose connections.

Run by `python -m bench.people`. Locust starts, counts and stops the people; their lives run on one asyncio loop in a
thread of its own, with the product's own client (realtime/client.py).
"""

import asyncio
import itertools
import json
import os
import queue
import threading
from pathlib import Path
from typing import Any

import gevent
import uvloop
from locust import User, constant, events, task

from bench.figures import summary
from bench.life import Life, Person, Seen
from bench.verdict import verdict

PUMP_SECONDS = 0.2
_people = itertools.cycle(Person(**one) for one in json.loads(Path(os.environ["BENCH_PEOPLE"]).read_text()))
_waiting: "queue.SimpleQueue[Seen]" = queue.SimpleQueue()
_seen: list[Seen] = []
_loop = uvloop.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


class Visitor(User):
    """One person. Locust has nothing to do while they live."""

    wait_time = constant(1)

    def on_start(self) -> None:
        life = Life(next(_people), str(self.host), _waiting.put)
        self.life = asyncio.run_coroutine_threadsafe(life.live(), _loop)

    @task
    def go_on(self) -> None:
        """Life goes on by itself."""

    def on_stop(self) -> None:
        self.life.cancel()


@events.init.add_listener
def begin(environment: Any, **_: Any) -> None:
    gevent.spawn(_pump, environment)


@events.quitting.add_listener
def end(environment: Any, **_: Any) -> None:
    _tell(environment)
    text, figures = verdict(_seen)
    print(f"\n{text}\n\n{summary(figures)}")
    environment.process_exit_code = int(any(one.holds is False for one in figures))


def _pump(environment: Any) -> None:
    while True:
        _tell(environment)
        gevent.sleep(PUMP_SECONDS)


def _tell(environment: Any) -> None:
    """Hand what people saw to Locust's own statistics."""
    while not _waiting.empty():
        one = _waiting.get()
        _seen.append(one)
        environment.events.request.fire(
            request_type="page",
            name=one.kind,
            response_time=one.ms,
            response_length=0,
            exception=RuntimeError(one.error) if one.error else None,
            context={},
        )
