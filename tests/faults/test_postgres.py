"""PostgreSQL is shut down without a goodbye, under load: no false acknowledgement, nothing lost, sockets stay open."""

import asyncio
import json
import signal
import time
import urllib.request
from typing import Any

from tests.faults.checker import Frame, History, violations
from tests.faults.client import Client
from tests.faults.support import connected, until
from tests.leaks import PASSWORD
from tests.provider import Provider
from tests.serving import Serve, data_dir

PEOPLE = 4


class Api:
    """The HTTP API of a `serve`, from outside."""

    def __init__(self, url: str) -> None:
        self.base = f"{url}api/v1/"

    def call(self, path: str, body: Any = None, token: str = "") -> Any:
        request = urllib.request.Request(self.base + path, json.dumps(body).encode() if body else None)
        request.add_header("Content-Type", "application/json")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def register(self, name: str) -> str:
        """The access token of a new user."""
        token: str = self.call("auth/register/", {"username": name, "password": PASSWORD})["access"]
        return token

    def log(self, conversation: str, token: str) -> list[Frame]:
        found: list[Frame] = []
        after: int | None = 0
        while after is not None:
            page = self.call(f"conversations/{conversation}/events/?after_seq={after}&limit=200", token=token)
            found += page["results"]
            after = page["next"]
        return found


async def test_it_is_shut_down_at_once_and_comes_back() -> None:
    with Provider() as provider, data_dir() as folder:
        settings = {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "test"}
        with Serve(folder, settings=settings) as serve:
            await _under_load(serve)
            before, traceback, after = serve.output.partition("Traceback")
            assert not traceback, before[-1000:] + traceback + after[:3000]


async def _under_load(serve: Serve) -> None:
    api, history = Api(serve.url), History()
    names = [f"person-{number}" for number in range(PEOPLE)]
    people = {name: await asyncio.to_thread(api.register, name) for name in names}
    owner = people[names[0]]
    invited = [{"user": name, "role": "editor"} for name in names[1:]]
    place = (await asyncio.to_thread(api.call, "conversations/", {"members": invited}, owner))["id"]
    address = serve.url.replace("http", "ws") + "ws/"
    clients = [Client(name, token, [address], history, seed) for seed, (name, token) in enumerate(people.items())]
    for one in clients:
        one.enter(place)
    workers = [serve.children()[name].pid for name in ("worker 1", "web 1")]
    async with connected(*clients):
        await until(lambda: all(one.ready() for one in clients))
        await clients[0].send(place, "slow 200 20", assistant="openai")
        talking = asyncio.create_task(_talk(clients, place, seconds=4))
        await asyncio.sleep(1.5)
        acknowledged = len(history.of("ok"))
        serve.children()["postgres"].send_signal(signal.SIGQUIT)
        await talking
        await until(lambda: all(one.settled for one in clients), seconds=30)
        assert len(history.of("ok")) > acknowledged
        await clients[1].send(place, "say hello again", assistant="openai")
        view = clients[0].places[place].view
        await until(lambda: len(view.texts) == 2, seconds=40)
        log = await asyncio.to_thread(api.log, place, owner)
        await until(lambda: all(one.has(place, len(log)) for one in clients))
    assert _longest_wait(history) < 5, "a sender is told, or asked to try again"
    assert [serve.children()[name].pid for name in ("worker 1", "web 1")] == workers, "processes go on"
    assert [one.connections for one in clients] == [1] * PEOPLE, "sockets stay open"
    assert violations(history, {place: log}) == []
    ends = [event["data"] for event in log if event["type"] == "run:end"]
    assert ends[0]["status"] == "completed", ends[0]
    assert (ends[1]["status"], ends[1]["text"]) == ("completed", "hello again ")


def _longest_wait(history: History) -> float:
    """Seconds from a send to the first answer to it."""
    answered: dict[str, float] = {}
    for operation in (*history.of("ok"), *history.of("info")):
        answered[operation.cmid] = min(operation.at, answered.get(operation.cmid, operation.at))
    return max(answered[sent.cmid] - sent.at for sent in history.of("invoke"))


async def _talk(clients: list[Client], place: str, seconds: float) -> None:
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        for one in clients:
            await one.send(place, "Hello")
        await asyncio.sleep(0.1)
