"""Strangers who follow a live share: what they are told, and how they are cut off."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.models import Share
from conversations.services import conversations, erasing, revisions, shares
from conversations.services.shares import Wish
from realtime.hub import hub
from tests.conversations.assistants.support import asked
from tests.eventstreams import Stream, frames, visit
from tests.realtime.support import head, without_hints, write
from tests.realtime.test_answers import Answer

pytestmark = pytest.mark.usefixtures("realtime_layer")


async def share(user: User, conversation: UUID, **wish: Any) -> tuple[Share, str]:
    wish.setdefault("mode", "live")
    return await in_thread(lambda: shares.create(user=user, conversation=conversation, wish=Wish(**wish)))


@asynccontextmanager
async def following(token: str, after: int = 0, **headers: str) -> AsyncIterator[Stream]:
    async with visit(f"shared/{token}/events/", query=f"after_seq={after}", **headers) as stream:
        yield stream


async def test_messages_as_they_are_then_live(alice: User, conversation: UUID) -> None:
    message = (await write(alice, conversation, "**One**"))["data"]["message"]
    made, token = await share(alice, conversation)
    async with following(token) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["x-robots-tag"] == "noindex, nofollow"
        assert stream.headers["cache-control"] == "no-store"
        found = await stream.until("seq")
        assert [one.get("event") for one in found] == [None, "title", "message", "seq"]
        assert frames(found)[0] == {"title": "Plans"}
        assert (frames(found)[1]["text"], frames(found)[1]["html"]) == ("**One**", "<p><strong>One</strong></p>\n")
        epoch, seq = await head(conversation)
        assert found[-1]["id"] == f"{epoch}:{seq}"
        revised = revisions.edit(user=alice, conversation=conversation, message=UUID(message), text="Two")
        await asyncio.wrap_future(revised)
        assert frames(await stream.until("message"))[-1]["text"] == "Two"
        gone = revisions.delete(user=alice, conversation=conversation, message=UUID(message))
        await asyncio.wrap_future(gone)
        assert frames(await stream.until("gone"))[-1] == {"message": message}
    assert (await in_thread(Share.objects.get, id=made.id)).views == 1


async def test_nothing_of_the_log_reaches_strangers(alice: User, conversation: UUID) -> None:
    _, token = await share(alice, conversation)
    async with following(token) as stream:
        await write(alice, conversation, "Hello", cmid="cmid-4711")
        told = str(await stream.until("message"))
        assert not [one for one in (str(alice.id), str(conversation), "cmid-4711", alice.username) if one in told]


async def test_it_goes_on_after_the_last_id(alice: User, conversation: UUID) -> None:
    await write(alice, conversation, "One")
    epoch, seq = await head(conversation)
    _, token = await share(alice, conversation)
    await write(alice, conversation, "Two")
    async with following(token, last_event_id=f"{epoch}:{seq}") as stream:
        told = [one for one in await stream.until("seq") if one.get("event") == "message"]
        assert [frame["text"] for frame in frames(told)] == ["Two"]
    for last, reason in ((f"{new_id()}:2", "epoch"), (f"{epoch}:99", "ahead")):
        async with following(token, last_event_id=last) as stream:
            answer = json.loads((await stream.body.get()) or b"")
            assert (stream.status, answer["code"], answer["reason"]) == (409, "resync_required", reason)
            assert "snapshot" not in answer


async def test_a_running_answer_grows(alice: User) -> None:
    conversation, claim = await in_thread(asked, alice)
    answer = Answer(claim)
    await answer.say("One ")
    _, token = await share(alice, conversation)
    async with following(token) as stream:
        held = {one["id"]: one["text"] for one in _told(await stream.until("seq"), "message")}
        assert held[str(claim.message)] == "One "
        await answer.say("two ")
        await answer.say("three")
        while held[str(claim.message)] != "One two three":
            delta = frames(await stream.until("delta"))[-1]
            assert delta["offset"] == len(held[delta["message"]])
            held[delta["message"]] += delta["text"]
        await answer.end()
        ended = frames(await stream.until("message"))[-1]
        assert (ended["status"], ended["text"]) == ("complete", "One two three")


def _told(found: list[dict[str, str]], name: str) -> list[Any]:
    return frames([one for one in found if one.get("event") == name])


@pytest.mark.parametrize("hints", [True, False], ids=["with Redis", "without hints"])
@pytest.mark.parametrize("how", ["revoked", "expired", "archived", "erased", "banned"])
async def test_viewers_are_cut_off(alice: User, conversation: UUID, how: str, hints: bool) -> None:
    made, token = await share(alice, conversation)
    async with following(token) as stream:
        await stream.until("seq")
        if hints:
            await in_thread(_end, how, alice, made)
            assert (await stream.rest(seconds=2))[-1]["event"] == "ended"
        else:
            with without_hints():
                await in_thread(_end, how, alice, made)
                assert (await stream.rest(seconds=2))[-1]["event"] == "ended"
    async with following(token) as stream:
        assert stream.status == 404


def _end(how: str, alice: User, made: Share) -> None:
    conversation = made.place
    if how == "revoked":
        shares.revoke(user=alice, conversation=conversation, share=made.id)
    elif how == "expired":
        Share.objects.filter(id=made.id).update(expires_at="2026-01-01T00:00:00Z")
    elif how == "archived":
        conversations.archive(user=alice, conversation=conversation).result()
    elif how == "erased":
        erasing.erase(user=alice, conversation=conversation)
    else:
        User.objects.filter(id=alice.id).update(is_active=False)


async def test_other_links_go_on(alice: User, conversation: UUID) -> None:
    made, token = await share(alice, conversation)
    _, other = await share(alice, conversation)
    async with following(token) as first, following(other) as second:
        await first.until("seq")
        await second.until("seq")
        await in_thread(lambda: shares.revoke(user=alice, conversation=conversation, share=made.id))
        await first.rest(seconds=2)
        await write(alice, conversation, "Still here")
        assert frames(await second.until("message"))[-1]["text"] == "Still here"


async def test_what_was_said_comes_without_hints(alice: User, conversation: UUID) -> None:
    _, token = await share(alice, conversation)
    async with following(token) as stream:
        await stream.until("seq")
        with without_hints():
            await write(alice, conversation, "Anyway")
            assert frames(await stream.until("message"))[-1]["text"] == "Anyway"


async def test_a_stream_of_a_visit_counts_nothing(alice: User, conversation: UUID) -> None:
    made, token = await share(alice, conversation, max_views=1, password="open sesame")
    async with visit(f"shared/{token}/", x_share_password="open sesame", accept="application/json") as page:
        address = json.loads((await page.body.get()) or b"")["events"]
    path, query = address.removeprefix("/api/v1/").split("?")
    async with visit(path, query=query) as stream:
        assert stream.status == 200
        await write(alice, conversation, "Hello")
        await stream.until("message")
    async with following(token, x_share_password="open sesame") as stream:
        assert stream.status == 404, "the only view was that of the page"
    assert (await in_thread(Share.objects.get, id=made.id)).views == 1


async def test_nothing_comes_in_a_fixed_share(alice: User, conversation: UUID) -> None:
    made, token = await share(alice, conversation, mode="fixed")
    async with following(token) as stream:
        assert stream.status == 404
    assert (await in_thread(Share.objects.get, id=made.id)).views == 0


async def test_many_viewers_are_told_the_same(alice: User, conversation: UUID) -> None:
    _, token = await share(alice, conversation)
    async with following(token) as one, following(token) as two, following(token) as three:
        for stream in (one, two, three):
            await stream.until("seq")
        for number in range(5):
            await write(alice, conversation, f"Number {number}")
        for stream in (one, two, three):
            texts: list[str] = []
            while len(texts) < 5:
                texts += [frame["text"] for frame in _told(await stream.until("seq"), "message")]
            assert texts == [f"Number {number}" for number in range(5)]


async def test_only_so_many_at_once(alice: User, conversation: UUID) -> None:
    _, token = await share(alice, conversation)
    with override_settings(SHARE_STREAMS=1):
        async with following(token) as first:
            await first.until("seq")
            async with following(token) as second:
                [refused] = frames(await second.rest())
                assert (refused["code"], refused["retryable"]) == ("room_full", True)


async def test_too_much_to_tell(alice: User, conversation: UUID) -> None:
    for number in range(3):
        await write(alice, conversation, f"Number {number}")
    _, token = await share(alice, conversation)
    with override_settings(CATCHUP_MAX=2):
        async with following(token) as stream:
            [refused] = frames(await stream.rest())
            assert (refused["code"], refused["reason"]) == ("resync_required", "too_far")


async def test_a_viewer_leaves_nothing_behind(alice: User, conversation: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SSE_COMMENT_SECONDS", 0.1)
    made, token = await share(alice, conversation)
    async with following(token) as stream:
        await stream.until("seq")
        async with asyncio.timeout(3):
            assert await stream.body.get() == b": alive\n\n"
        assert len(hub().rooms[conversation].members) == 1
        assert hub().online(hub().rooms[conversation]) == 0, "nobody sees them"
    assert conversation not in hub().rooms
    assert hub().shares.count(made.id) == 0
