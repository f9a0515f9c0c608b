"""Assistants that break, in a real worker: each fails alone, and the worker goes on as if nothing were."""

import asyncio
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2 as httpx
from django.test import override_settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.models import Connector, Run
from conversations.services import conversations, messages
from tests.conversations.assistants.support import ending
from tests.faults.cluster import Cluster
from tests.faults.support import until_stored

Make = Callable[..., Cluster]
HERE = "tests.conversations.connectors.plugins"
SETTINGS = {"CONNECTOR_MODULES": HERE, "OUTGOING_ALLOWED_HOSTS": "127.0.0.1"}
# What each of them ends with, where it is not `plugin_failed`.
CODES = {"Hangs": "assistant_timeout", "Floods": "too_large"}
BAD = ("Raises", "Exits", "Hangs", "Spins", "Floods", "Writes", "Grows", "Forks", "Starts", "Garbage")


def plugin(name: str, **more: Any) -> str:
    """A connector to a plugin in a process of its own; its name."""
    row = Connector(id=new_id(), name=f"{name.lower()}-{new_id().hex[-8:]}", kind="python")
    row.config = {"path": f"{HERE}.{name}", "untrusted": True, "process": {"cpu_seconds": 2, "memory_mb": 256}, **more}
    row.save()
    return row.name


def ask(user: User, assistant: str, text: str = "you") -> Run:
    made = conversations.create(user=user).result(10)
    sent = messages.send(
        user=user, conversation=made.conversation.id, text=text, cmid=str(new_id()), assistant=assistant
    ).result(10)
    return Run.objects.get(id=sent.main["data"]["run"])


def ended(runs: list[Run]) -> bool:
    return not Run.objects.filter(id__in=[run.id for run in runs], ended_at=None).exists()


async def test_plugins_of_every_bad_kind_at_once(alice: User, cluster: Make) -> None:
    limits = {"stall_seconds": 2, "first_token_seconds": 20}
    names = {one: await in_thread(partial(plugin, one, limits=limits)) for one in (*BAD, "Good")}
    async with cluster(webs=1, workers=1, **SETTINGS) as running:
        await _known(alice, running, list(names.values()))
        runs = {one: await in_thread(ask, alice, name) for one, name in names.items()}
        await until_stored(lambda: ended(list(runs.values())), 60)
        assert running.workers[0].alive
        after = await in_thread(ask, alice, names["Good"])
        await until_stored(lambda: ended([after]))
    for one in BAD:
        end = await ending(await Run.objects.aget(id=runs[one].id))
        assert (one, end["status"], end["error"]["code"]) == (one, "failed", CODES.get(one, "plugin_failed"))
    for good in (runs["Good"], after):
        assert (await ending(await Run.objects.aget(id=good.id)))["text"] == "Hello, you"


async def _known(user: User, running: Cluster, names: list[str]) -> None:
    """This process and the servers know the connectors within a second."""
    access = (await in_thread(tokens.issue, user))["access"]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {access}"}) as http:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            answer = await http.get(f"{running.webs[0].url}api/v1/assistants/")
            if {one["name"] for one in answer.json()["results"]} >= set(names):
                break
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)


@override_settings(OPENAI_API_KEY="test")
async def test_one_that_hangs_leaves_the_latency_of_others_alone(
    alice: User, cluster: Make, say: Callable[[str], None]
) -> None:
    """Three plugins; one of them hangs in thirty answers at once, and the other two answer as before."""
    names = [await in_thread(plugin, one) for one in ("Good", "Hangs")]
    async with cluster(webs=1, workers=1, **SETTINGS) as running:
        await _known(alice, running, names)
        await _latency(alice, "openai", 5)
        before = await _latency(alice, "openai", 40)
        hanging = [await in_thread(ask, alice, names[1]) for _ in range(30)]
        await until_stored(lambda: _stored(hanging) == 30, 60)
        during = await _latency(alice, "openai", 40)
        say(f"latency of others: {before * 1000:.0f} ms, while one hangs {during * 1000:.0f} ms")
        assert during < before * 1.5 + 0.05
        good = await in_thread(ask, alice, names[0])
        await until_stored(lambda: ended([good]), 10)
        assert (await Run.objects.aget(id=good.id)).status == "completed"
        assert not await in_thread(lambda: ended(hanging[:1]))


def _stored(runs: list[Run]) -> int:
    return Run.objects.filter(id__in=[run.id for run in runs], stored__gt=0).count()


async def _latency(user: User, assistant: str, count: int) -> float:
    """The median of how long answers take, from the question to their end."""
    took = []
    for _ in range(count):
        run = await in_thread(ask, user, assistant, "say yes")
        await until_stored(partial(ended, [run]), 10)
        row = await Run.objects.aget(id=run.id)
        assert row.ended_at
        took.append((row.ended_at - row.queued_at).total_seconds())
    return statistics.median(took)


@override_settings(OPENAI_API_KEY="test")
async def test_stop_from_another_node_closes_the_connection_within_a_second(alice: User, cluster: Make) -> None:
    """By the API, of a server that never heard of the run before."""
    access = (await in_thread(tokens.issue, alice))["access"]
    async with cluster(webs=2, workers=1) as running:
        for web in running.webs:
            run = await in_thread(ask, alice, "openai", "slow 1000 20")
            await until_stored(partial(_stored, [run]))
            begun = time.monotonic()
            async with httpx.AsyncClient(headers={"Authorization": f"Bearer {access}"}) as http:
                answer = await http.post(f"{web.url}api/v1/runs/{run.id}/stop/")
            assert answer.status_code == 200
            assert await asyncio.to_thread(running.provider.last.closed.wait, 2)
            assert time.monotonic() - begun < 1
            end = await ending(await Run.objects.aget(id=run.id))
            assert end["status"] == "stopped"
            assert end["text"].startswith("word0 ")
