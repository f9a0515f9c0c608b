"""A message posted once more because its answer was lost runs once and costs once: on real servers, with connections
that are cut, by clients that give no key and only count their retries."""

import asyncio
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import openai
import pytest
from pytest_django import Settings

from accounts.models import Attempt, User
from accounts.services import tokens
from chatproject.embedded.web import SERVERS
from chatproject.lib.ids import new_id
from conversations.models import Message, Run
from tests.conversations.assistants.support import conversation_with
from tests.faults.cluster import Cluster
from tests.faults.proxy import Proxy
from tests.serving import eventually

Json = dict[str, Any]
# Seconds: more than the `?wait=30` of the server, whose answer comes then at the latest.
PATIENCE = 60


@pytest.fixture(scope="module", params=sorted(SERVERS))
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two web servers and a worker with a scripted model."""
    folder = tmp_path_factory.mktemp(request.param)
    with Cluster(folder, webs=2, workers=1, server=request.param) as running:
        yield running
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


@pytest.fixture(autouse=True)
def _offered(settings: Settings) -> None:
    """Here as there."""
    settings.OPENAI_API_KEY = "test"


class Sdk:
    """What a stock SDK sends, without one: the same body, and how often it was tried before."""

    def __init__(self, cluster: Cluster, user: User, conversation: UUID | None = None) -> None:
        self.cluster, self.token = cluster, tokens.issue(user)["access"]
        self.conversation = conversation or conversation_with(user, "openai")
        self.path = f"/api/v1/conversations/{self.conversation}/messages/"

    def begin(
        self, text: str, retries: int | None = 0, *, port: int = 0, path: str = "", web: int = 0, **headers: str
    ) -> http.client.HTTPConnection:
        link = http.client.HTTPConnection("127.0.0.1", port or self.cluster.webs[web].port, timeout=PATIENCE)
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        if retries is not None:
            given["x-stainless-retry-count"] = str(retries)
        body = {"message": text, "assistant": "openai"} if path == "/v1/chat" else {"text": text}
        link.request("POST", path or self.path, json.dumps(body), given)
        return link

    def post(self, text: str, retries: int | None = 0, **more: Any) -> Json:
        with closing(self.begin(text, retries, **more)) as link:
            answer = link.getresponse()
            body = json.loads(answer.read())
            assert answer.status in (200, 201), body
            return dict(body)

    def lose(self, text: str, retries: int = 0, **more: Any) -> None:
        """Post, and be gone once the message is stored, before its answer comes."""
        before = self.said()
        with closing(self.begin(text, retries, path=f"{self.path}?wait=30", **more)):
            eventually(lambda: self.said() > before)

    def said(self) -> int:
        return Message.objects.filter(conversation=self.conversation, role="user").count()

    def runs(self) -> list[Run]:
        return list(Run.objects.filter(conversation=self.conversation).order_by("queued_seq"))

    def is_kept(self, kept: int = 0) -> bool:
        return Attempt.objects.filter(about=self.conversation).count() == kept


@pytest.fixture
def sdk(cluster: Cluster, alice: User) -> Sdk:
    return Sdk(cluster, alice)


def test_an_answer_that_was_lost_is_given_once_more(sdk: Sdk, cluster: Cluster) -> None:
    sdk.lose("slow 20 20")
    again = sdk.post("slow 20 20", 1, path=f"{sdk.path}?wait=30", web=1)
    assert again["dup"]
    assert again["run"]["status"] == "completed"
    assert sdk.said() == len(sdk.runs()) == len(cluster.provider.asked("slow 20 20")) == 1
    [run] = sdk.runs()
    assert run.usage and run.usage["output_tokens"] == 7  # noqa: PT018
    eventually(sdk.is_kept)


def test_the_retry_of_a_retry(sdk: Sdk) -> None:
    sdk.lose("say retried")
    with closing(sdk.begin("say retried", 1, path=f"{sdk.path}?wait=30")):
        pass
    assert sdk.post("say retried", 2, path=f"{sdk.path}?wait=30")["dup"]
    assert sdk.said() == 1


def test_two_that_are_the_same_are_two_where_the_first_was_answered(sdk: Sdk) -> None:
    first, second = sdk.post("say twice"), sdk.post("say twice")
    third = sdk.post("say twice", 1)
    assert not any(one["dup"] for one in (first, second, third))
    assert len({first["event"]["id"], second["event"]["id"], third["event"]["id"]}) == sdk.said() == 3


def test_said_once_more_on_purpose_while_the_first_answer_was_lost(sdk: Sdk) -> None:
    sdk.lose("say lost")
    assert not sdk.post("say lost", 0)["dup"]
    assert sdk.said() == 2


@pytest.mark.parametrize("other", ["text", "user", "login", "route"])
def test_only_the_same_request_is_its_retry(sdk: Sdk, bob: User, alice: User, other: str) -> None:
    sdk.lose("say one")
    text = "say two" if other == "text" else "say one"
    if other == "login":
        sdk.token = tokens.issue(alice)["access"]
    elsewhere = Sdk(sdk.cluster, bob if other == "user" else alice) if other in ("user", "route") else sdk
    assert not elsewhere.post(text, 1, path=f"{elsewhere.path}?wait=30")["dup"]


async def test_a_stream_that_is_cut_in_the_middle(cluster: Cluster, alice: User) -> None:
    sdk = await asyncio.to_thread(Sdk, cluster, alice)
    async with Proxy(cluster.webs[0].port) as proxy:

        def until_cut() -> None:
            link = sdk.begin("slow 100 20", port=proxy.port, Accept="text/event-stream")
            with closing(link):
                answer = link.getresponse()
                while b"event: delta" not in answer.readline():
                    pass

        await asyncio.to_thread(until_cut)
        proxy.cut()
    assert not await asyncio.to_thread(sdk.is_kept)
    whole = await asyncio.to_thread(_stream, sdk, "slow 100 20", 1)
    assert "run:end" in whole
    assert whole.count('"message:new"') == 1
    assert await asyncio.to_thread(sdk.said) == len(cluster.provider.asked("slow 100 20")) == 1
    await asyncio.to_thread(eventually, sdk.is_kept)
    again = await asyncio.to_thread(_stream, sdk, "slow 100 20", 1)
    assert "run:end" in again
    assert await asyncio.to_thread(sdk.said) == 2, "the answer was complete: said once more"


def _stream(sdk: Sdk, text: str, retries: int) -> str:
    with closing(sdk.begin(text, retries, Accept="text/event-stream")) as link:
        return link.getresponse().read().decode()


def test_a_server_that_dies_after_the_message_is_stored(sdk: Sdk, cluster: Cluster) -> None:
    web = cluster.webs[1]
    before = sdk.said()
    with closing(sdk.begin("slow 30 20", path=f"{sdk.path}?wait=30", web=1)):
        eventually(lambda: sdk.said() > before)
        web.kill()
    again = sdk.post("slow 30 20", 1, path=f"{sdk.path}?wait=30")
    web.start()
    web.wait()
    assert again["dup"]
    assert sdk.said() == 1


def test_after_a_while_it_is_a_request_of_its_own(sdk: Sdk) -> None:
    sdk.lose("say late")
    Attempt.objects.filter(about=sdk.conversation).update(tried_at="2026-01-01T00:00:00Z")
    assert not sdk.post("say late", 1)["dup"]


@pytest.mark.parametrize("header", ["", "-1", "x", "1.5", "9999", "١"])
def test_a_header_that_counts_nothing_is_not_looked_at(sdk: Sdk, header: str) -> None:
    sdk.lose("say nothing")
    headers = {"x-stainless-retry-count": header.encode().decode("latin-1")}
    assert not sdk.post("say nothing", None, **headers)["dup"]


def test_a_cmid_or_key_of_its_own_comes_first(sdk: Sdk) -> None:
    key = {"Idempotency-Key": str(new_id())}
    first, again = sdk.post("say key", 0, **key), sdk.post("say key", 1, **key)
    assert (first["dup"], again["dup"]) == (False, True)
    assert sdk.is_kept()


def test_openai_s_own_sdk_retries(cluster: Cluster, sdk: Sdk) -> None:
    """Its first answer is lost after 1 s; its retry gets the answer to the one question."""
    client = openai.OpenAI(api_key=sdk.token, base_url=f"{cluster.webs[0].url}api/v1", timeout=1.0, max_retries=3)
    began = time.monotonic()
    answer: Any = client.post(
        f"/conversations/{sdk.conversation}/messages/?wait=30", cast_to=object, body={"text": "slow 80 20"}
    )
    assert time.monotonic() > began + 1
    assert answer["dup"]
    assert sdk.said() == len(cluster.provider.asked("slow 80 20")) == 1


def test_chat_is_safe_to_retry_too(sdk: Sdk, alice: User, cluster: Cluster) -> None:
    before = Run.objects.filter(requested_by=alice.id).count()
    with closing(sdk.begin("slow 30 20", path="/v1/chat")):
        eventually(lambda: Run.objects.filter(requested_by=alice.id).count() > before)
    again = sdk.post("slow 30 20", 1, path="/v1/chat")
    assert again["status"] == "completed"
    assert Run.objects.get(requested_by=alice.id, id=again["run"]).usage
    assert Run.objects.filter(requested_by=alice.id).count() == before + 1
