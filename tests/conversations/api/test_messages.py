"""/api/v1/conversations/{id}/messages/, …/events/, /api/v1/runs/, /api/v1/assistants/"""

import threading
import time
from uuid import UUID, uuid4

import pytest
from django.db import connections

from accounts.models import User
from conversations.models import Conversation, Member, Run
from conversations.services import messages, runs
from tests.api import Api
from tests.conversations.support import frames

# The id of nothing.
NOBODY = "01900000-0000-7000-8000-000000000000"


def say(api: Api, conversation: UUID, *what: str) -> None:
    for text in what:
        assert api.post(f"conversations/{conversation}/messages/", {"text": text}).status == 201


def test_a_message_is_said_and_read(as_alice: Api, as_bob: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    said = as_alice.post(path, {"text": " **Hello** ", "cmid": "1", "seen_seq": 2})

    assert said.status == 201
    assert (said.json["dup"], "run" in said.json) == (False, False)
    assert said.json["event"] == frames(conversation)[-1]
    message = said.json["message"]
    assert (message["text"], message["status"], message["role"], message["seen_seq"]) == (
        " **Hello** ", "complete", "user", 2,
    )  # fmt: skip
    assert "<strong>Hello</strong>" in message["html"]
    assert as_bob.get(f"{path}{message['id']}/").json == message
    assert as_bob.get(path).json["results"] == [message]
    assert as_bob.get(f"conversations/{conversation}/").json["unread"] == 1
    assert as_alice.get(f"conversations/{conversation}/").json["unread"] == 0


def test_a_question_brings_its_run(as_alice: Api, conversation: UUID) -> None:
    said = as_alice.post(f"conversations/{conversation}/messages/", {"text": "Hello", "assistant": "guide"}).json
    assert (said["run"]["status"], said["run"]["id"]) == ("queued", said["message"]["run"])
    assert as_alice.get(f"runs/{said['run']['id']}/").json == said["run"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid"),
        ({"text": ""}, "invalid"),
        ({"text": "  "}, "invalid"),
        ({"text": 7}, "invalid"),
        ({"text": None}, "invalid"),
        ({"text": "a\0"}, "invalid"),
        ({"text": "x" * 32001}, "too_large"),
        ({"text": "x" * 200_000}, "too_large"),
        ({"text": "x", "cmid": ""}, "invalid"),
        ({"text": "x", "cmid": "y" * 121}, "invalid"),
        ({"text": "x", "action": "dance"}, "invalid"),
        ({"text": "x", "assistant": "nobody"}, "invalid"),
        ({"text": "x", "on_busy": "explode"}, "invalid"),
        ({"text": "x", "reply_to": "y"}, "invalid"),
        ({"text": "x", "reply_to": NOBODY}, "invalid"),
        ({"text": "x", "seen_seq": -1}, "invalid"),
        ({"text": "x", "seen_seq": 10**30}, "invalid"),
        ({"text": "x", "seen_seq": "many"}, "invalid"),
    ],
)
def test_bad_bodies(as_alice: Api, conversation: UUID, body: dict[str, object], code: str) -> None:
    assert as_alice.post(f"conversations/{conversation}/messages/", body).code == code
    assert Conversation.objects.get(id=conversation).last_seq == 2


def test_a_busy_conversation(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    as_alice.post(path, {"text": "Hello", "assistant": "guide"})
    refused = as_alice.post(path, {"text": "And?", "assistant": "guide", "on_busy": "reject"})
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (409, "conversation_busy", "1")


def test_a_closed_conversation(as_alice: Api, conversation: UUID) -> None:
    as_alice.patch(f"conversations/{conversation}/", {"status": "closed"})
    assert as_alice.post(f"conversations/{conversation}/messages/", {"text": "x"}).code == "conversation_closed"


def test_pages_of_messages(as_alice: Api, conversation: UUID) -> None:
    say(as_alice, conversation, *"abcdefg")

    def read(link: str) -> list[list[str]]:
        pages = []
        while link:
            page = as_alice.get(link).json
            pages.append([message["text"] for message in page["results"]])
            link = page["next"] and page["next"].split("/api/v1/")[1]
        return pages

    path = f"conversations/{conversation}/messages/"
    assert read(f"{path}?limit=3") == [["e", "f", "g"], ["b", "c", "d"], ["a"]]
    assert read(f"{path}?limit=3&after_seq=0") == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert read(f"{path}?after_seq=9") == [[]]
    assert read(f"{path}?before_seq=5") == [["a", "b"]]
    assert read(f"{path}?before_seq=5&after_seq=3") == [["b"]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "before_seq=-1", "after_seq=1e3", "after_seq=" + "9" * 40, "after_seq="],
)
def test_bad_pages(as_alice: Api, conversation: UUID, query: str) -> None:
    assert as_alice.get(f"conversations/{conversation}/messages/?{query}").code == "invalid"


def test_one_message_that_is_not_here(as_alice: Api, conversation: UUID) -> None:
    elsewhere = as_alice.post("conversations/", {"message": "x"}).json["id"]
    foreign = as_alice.get(f"conversations/{elsewhere}/messages/").json["results"][0]["id"]
    assert as_alice.get(f"conversations/{conversation}/messages/{foreign}/").code == "not_found"
    assert as_alice.get(f"conversations/{conversation}/messages/{uuid4()}/").code == "not_found"


def test_waiting_for_the_answer(as_alice: Api, conversation: UUID) -> None:
    def answer() -> None:
        while not (claim := runs.claim(conversation=conversation, worker="test")):
            time.sleep(0.02)
        runs.end(claim=claim, status="completed", text="Hello yourself").result(30)
        connections.close_all()

    worker = threading.Thread(target=answer)
    worker.start()
    said = as_alice.post(f"conversations/{conversation}/messages/?wait=20", {"text": "Hello", "assistant": "guide"})
    worker.join()

    assert (said.status, said.json["run"]["status"]) == (201, "completed")
    last = as_alice.get(f"conversations/{conversation}/messages/").json["results"][-1]
    assert (last["text"], last["id"]) == ("Hello yourself", said.json["run"]["message"])


def test_waiting_ends_in_time(as_alice: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/messages/"
    began = time.monotonic()
    assert as_alice.post(f"{path}?wait=1", {"text": "?", "assistant": "guide"}).json["run"]["status"] == "queued"
    assert 1 <= time.monotonic() - began < 3
    for wait in ("-1", "x", "61"):
        assert as_alice.post(f"{path}?wait={wait}", {"text": "x"}).code == "invalid"


def test_viewers_read_only(as_bob: Api, bob: User, conversation: UUID) -> None:
    Member.objects.filter(conversation=conversation, user=bob).update(role="viewer")
    path = f"conversations/{conversation}/messages/"
    assert as_bob.get(path).status == 200
    assert (as_bob.post(path, {"text": "x"}).status, as_bob.post(path, {"text": "x"}).code) == (403, "forbidden")


# --- Events -----------------------------------------------------------------------------------------------


def test_the_log_in_pages(as_alice: Api, conversation: UUID) -> None:
    say(as_alice, conversation, *"abc")
    path = f"conversations/{conversation}/events/"
    found: list[dict[str, object]] = []
    after: int | None = 0
    while after is not None:
        page = as_alice.get(f"{path}?after_seq={after}&limit=2").json
        found += page["results"]
        after = page["next"]

    assert found == frames(conversation)
    assert page["head"] == 5
    assert as_alice.get(path).json["results"] == found
    assert as_alice.get(f"{path}?after_seq=5").json == {**page, "results": [], "next": None}
    resumed = as_alice.get(path, Last_Event_ID=f"{page['epoch']}:3").json
    assert [event["seq"] for event in resumed["results"]] == [4, 5]


def test_events_since_a_time(as_alice: Api, conversation: UUID) -> None:
    time.sleep(0.01)
    say(as_alice, conversation, "a", "b")
    third = frames(conversation)[2]
    path = f"conversations/{conversation}/events/"

    assert as_alice.get(f"{path}?since={third['at']}").json["results"][0] == third
    assert as_alice.get(f"{path}?since=2999-01-01T00:00:00Z").json["results"] == []
    assert len(as_alice.get(f"{path}?since=1999-01-01T00:00:00%2B02:00").json["results"]) == 4
    for wrong in ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "%00"):
        assert as_alice.get(f"{path}?since={wrong}").code == "invalid"
    for odd in ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"):
        assert as_alice.get(f"{path}?since={odd}").status in (200, 400)


def test_cursors_that_cannot_be_replayed(as_alice: Api, conversation: UUID) -> None:
    say(as_alice, conversation, "a", "b")
    path = f"conversations/{conversation}/events/"
    epoch = as_alice.get(path).json["epoch"]
    assert as_alice.get(f"{path}?after_seq=3&epoch={epoch}").status == 200

    for query, reason in ((f"epoch={uuid4()}&after_seq=3", "epoch"), (f"epoch={epoch}&after_seq=9", "ahead")):
        answer = as_alice.get(f"{path}?{query}")
        assert (answer.status, answer.code, answer.json["reason"]) == (409, "resync_required", reason)
        assert (answer.json["epoch"], answer.json["head"], answer.json["snapshot"]["seq"]) == (epoch, 4, 4)
        assert [message["text"] for message in answer.json["snapshot"]["state"]["messages"]] == ["a", "b"]
    assert as_alice.get(path, Last_Event_ID=f"{uuid4()}:3").code == "resync_required"


@pytest.mark.parametrize("last", ["x", "1", ":1", f"{NOBODY}:x", f"{NOBODY}:{'9' * 30}", f"{NOBODY}:-1"])
def test_event_ids_that_are_none(as_alice: Api, conversation: UUID, last: str) -> None:
    assert as_alice.get(f"conversations/{conversation}/events/", Last_Event_ID=last).code == "invalid"


# --- Runs -------------------------------------------------------------------------------------------------


def test_stop(as_alice: Api, as_bob: Api, as_mallory: Api, alice: User, conversation: UUID) -> None:
    sent = messages.send(user=alice, conversation=conversation, text="?", cmid="1", assistant="guide").result(30)
    run = f"runs/{sent.main['data']['run']}/"
    assert [as_mallory.get(run).code, as_mallory.post(f"{run}stop/").code] == ["not_found"] * 2

    stopped = as_alice.post(f"{run}stop/")

    assert (stopped.status, stopped.json["status"]) == (200, "stopped")
    assert as_alice.post(f"{run}stop/").json == stopped.json
    assert as_bob.post(f"{run}stop/").code == "run_not_active"
    assert as_alice.get(f"runs/{uuid4()}/").code == "not_found"


def test_a_viewer_may_not_stop(as_bob: Api, alice: User, bob: User, conversation: UUID) -> None:
    sent = messages.send(user=alice, conversation=conversation, text="?", cmid="1", assistant="guide").result(30)
    Member.objects.filter(conversation=conversation, user=bob).update(role="viewer")
    assert as_bob.get(f"runs/{sent.main['data']['run']}/").status == 200
    assert as_bob.post(f"runs/{sent.main['data']['run']}/stop/").code == "forbidden"
    assert Run.objects.get(conversation=conversation).status == "queued"


def test_assistants(as_alice: Api, as_nobody: Api) -> None:
    assert "guide" in [row["name"] for row in as_alice.get("assistants/").json["results"]]
    assert as_nobody.get("assistants/").code == "unauthenticated"


def test_strangers(as_mallory: Api, conversation: UUID) -> None:
    for path in ("messages/", f"messages/{uuid4()}/", "events/"):
        assert as_mallory.get(f"conversations/{conversation}/{path}").code == "not_found"
    assert as_mallory.post(f"conversations/{conversation}/messages/", {"text": "x"}).code == "not_found"
