"""One writer: fifty messages at once through four servers, for each policy; and no lock while an answer streams."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from conversations.models import Message, Run
from tests.conversations.support import another_connection
from tests.faults.cluster import Cluster
from tests.faults.requests import Response, post
from tests.faults.support import damage, log_of, place_of, stored_of, until_stored

Log = list[dict[str, Any]]
MESSAGES = 50
TRIES, LOOKS = 5, 10


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Four servers and two workers, for all of these tests."""
    with Cluster(tmp_path_factory.mktemp("servers"), webs=4, workers=2) as cluster:
        yield cluster


async def flood(running: Cluster, user: User, conversation: UUID, policy: str) -> list[Response]:
    """Fifty messages at once, each through the next of the servers; waits until nothing is left to be answered."""
    token = (await in_thread(tokens.issue, user))["access"]
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(MESSAGES))

    async def one(number: int) -> Response:
        """As clients do: a lock that cannot be had within two seconds (docs/faults.md) is asked for once more."""
        url = f"{running.webs[number % 4].url}api/v1/conversations/{conversation}/messages/"
        body = {"text": f"say {number}", "cmid": f"m{number}", "assistant": "openai", "on_busy": policy}
        for _ in range(TRIES):
            answer = await post(url, token, body)
            if answer.status != 503:
                break
            assert answer.json["code"] == "unavailable"
            await asyncio.sleep(answer.json["retry_after_ms"] / 1000)
        return answer

    answers = await asyncio.gather(*map(one, range(MESSAGES)))
    await until_stored(lambda: not Run.objects.filter(conversation=conversation, ended_at=None).exists(), 60)
    return answers


class Story:
    """A log, told event by event: what is unfinished, what runs. `violations` are what must never be."""

    def __init__(self, log: Log) -> None:
        self.unfinished: list[str] = []
        self.running: str | None = None
        self.begun: list[str] = []
        self.asked: list[str] = []
        self.ended: dict[str, str] = {}
        self.waiting_when_asked: list[list[str]] = []
        self.violations: list[str] = []
        for event in log:
            getattr(self, "_" + event["type"].replace(":", "_"), lambda data: None)(event["data"])

    def _message_new(self, data: dict[str, Any]) -> None:
        self.waiting_when_asked.append(list(self.unfinished))
        self.asked.append(data["run"])
        self.unfinished.append(data["run"])

    def _run_start(self, data: dict[str, Any]) -> None:
        if self.running:
            self.violations.append(f"{data['run']} begins while {self.running} runs")
        self.running = data["run"]
        self.begun.append(data["run"])

    def _run_end(self, data: dict[str, Any]) -> None:
        if data["run"] in self.ended:
            self.violations.append(f"{data['run']} ends twice")
        self.ended[data["run"]] = data["status"]
        self.unfinished.remove(data["run"])
        self.running = None if self.running == data["run"] else self.running


def visible(conversation: UUID) -> list[str]:
    return list(
        Message.objects.visible().filter(conversation=conversation).order_by("seq").values_list("role", flat=True)
    )


async def test_enqueue(running: Cluster, alice: User) -> None:
    conversation = await place_of(alice)
    answers = await flood(running, alice, conversation, "enqueue")
    story = Story(await log_of(conversation))
    assert [answer.status for answer in answers] == [201] * MESSAGES
    assert story.violations == []
    assert story.begun == story.asked, "all are answered, in the order in which they were said"
    assert set(story.ended.values()) == {"completed"}
    assert await in_thread(damage, [conversation]) == []


async def test_reject(running: Cluster, alice: User) -> None:
    conversation = await place_of(alice)
    answers = await flood(running, alice, conversation, "reject")
    story = Story(await log_of(conversation))
    refused = [answer for answer in answers if answer.status != 201]
    assert {(answer.status, answer.json["code"]) for answer in refused} <= {(409, "conversation_busy")}
    assert len(story.asked) == MESSAGES - len(refused) >= 1
    assert story.violations == []
    assert not any(story.waiting_when_asked), "none was taken while another one waited"
    assert set(story.ended.values()) == {"completed"}
    assert await in_thread(damage, [conversation]) == []


async def test_interrupt(running: Cluster, alice: User) -> None:
    conversation = await place_of(alice)
    answers = await flood(running, alice, conversation, "interrupt")
    story = Story(await log_of(conversation))
    assert [answer.status for answer in answers] == [201] * MESSAGES
    assert story.violations == []
    assert not any(story.waiting_when_asked), "what was unfinished is stopped in the same commit, in front"
    assert story.ended[story.asked[-1]] == "completed"
    assert set(story.ended.values()) <= {"completed", "stopped"}
    assert await in_thread(damage, [conversation]) == []


async def test_rollback(running: Cluster, alice: User) -> None:
    conversation = await place_of(alice)
    answers = await flood(running, alice, conversation, "rollback")
    story = Story(await log_of(conversation))
    assert [answer.status for answer in answers] == [201] * MESSAGES
    assert story.violations == []
    assert not any(story.waiting_when_asked)
    completed = [run for run in story.asked if story.ended[run] == "completed"]
    assert completed[-1] == story.asked[-1]
    assert await in_thread(visible, conversation) == ["user", "assistant"] * len(completed), (
        "of the others nothing is left"
    )
    assert await in_thread(damage, [conversation]) == []


HELD = """
    SELECT pid, virtualtransaction, relation::regclass::text, mode FROM pg_locks
     WHERE granted AND relation = ANY(ARRAY['conversations_conversation', 'conversations_run']::regclass[])
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""


def held() -> set[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(HELD)
        return set(cursor.fetchall())


def taken_at_once(conversation: UUID) -> None:
    """Somebody else gets both rows; raises where they are locked for longer than a commit takes."""
    with another_connection() as other:
        other.execute("SET LOCAL lock_timeout = '500ms'")
        other.execute("SELECT 1 FROM conversations_conversation WHERE id = %s FOR UPDATE", [conversation])
        other.execute("SELECT 1 FROM conversations_run WHERE conversation_id = %s FOR UPDATE", [conversation])


async def test_no_lock_is_held_while_an_answer_streams(running: Cluster, alice: User) -> None:
    conversation, token = await place_of(alice), (await in_thread(tokens.issue, alice))["access"]
    url = f"{running.webs[0].url}api/v1/conversations/{conversation}/messages/"
    sent = await post(url, token, {"text": "slow 150 20", "assistant": "openai"})
    await until_stored(partial(stored_of, conversation))
    looks: Counter[tuple[Any, ...]] = Counter()
    for _ in range(LOOKS):
        looks.update(await in_thread(held))
        await in_thread(taken_at_once, conversation)
        await asyncio.sleep(0.15)
    # A commit that waits for a busy disk is seen twice; what lasts as long as the answer, each time.
    assert all(count < LOOKS / 2 for count in looks.values()), f"held by one transaction: {looks.most_common(3)}"
    assert await in_thread(stored_of, conversation), "it streams all the while"
    await post(f"{running.webs[1].url}api/v1/runs/{sent.json['run']['id']}/stop/", token, {})
