"""A running answer on sockets: live, from an offset, on another connection, after its end."""

import asyncio
from uuid import UUID

import pytest

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.assistants import chunks
from conversations.models import Run
from conversations.services import runs
from tests.conversations.assistants.support import ask, asked, conversation_with
from tests.realtime.support import head, join, joined, without_hints
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")


class Answer:
    """A turn that the test writes; `text` is what it has stored."""

    def __init__(self, claim: runs.Claim) -> None:
        self.claim = claim
        self.text = ""

    async def say(self, text: str) -> None:
        piece = chunks.Piece(self.claim, text, len(self.text))
        await asyncio.wrap_future(chunks.store(piece))
        self.text += text

    async def end(self, status: str = "completed") -> None:
        await asyncio.wrap_future(runs.end(claim=self.claim, status=status, text=self.text))


@pytest.fixture
async def answer(alice: User) -> Answer:
    return Answer((await in_thread(asked, alice))[1])


async def heard_text(socket: Socket, held: str = "") -> str:
    """What a client has of the answer when it ends, by the client's rule; checks it against `run:end`."""
    while (frame := await socket.hear())["type"] != "run:end":
        held = applied(held, frame)
    assert frame["data"]["text"].startswith(held)
    return held


def applied(held: str, frame: Frame) -> str:
    if frame["type"] != "delta":
        return held
    assert frame["offset"] <= len(held), "a delta before what is missing"
    return held[: frame["offset"]] + frame["text"]


async def test_live_from_the_question_to_the_end(alice: User) -> None:
    conversation = await in_thread(conversation_with, alice)
    async with joined(alice, conversation) as socket:
        answer = Answer((await in_thread(asked, alice, conversation))[1])
        assert (await socket.hear())["type"] == "message:new"
        start = await socket.hear()
        assert (start["type"], start["data"]["run"]) == ("run:start", str(answer.claim.run))
        for piece in ("Grüße ", "👋🏽", "你好"):
            await answer.say(piece)
        await answer.end()
        assert await heard_text(socket) == "Grüße 👋🏽你好"


async def test_who_joins_in_the_middle_gets_the_whole_answer(alice: User, answer: Answer) -> None:
    await answer.say("One 👋🏽 ")
    await answer.say("two ")
    async with connect(alice) as socket:
        await join(socket, answer.claim.conversation, seq=0)
        delta = await socket.hear()
        assert (delta["type"], delta["offset"], delta["text"]) == ("delta", 0, "One 👋🏽 two ")
        assert delta["message"] == str(answer.claim.message)
        assert not {"seq", "data"} & delta.keys()
        await answer.say("three")
        await answer.end()
        assert await heard_text(socket, delta["text"]) == "One 👋🏽 two three"


async def test_another_connection_goes_on_where_the_first_was(alice: User, answer: Answer) -> None:
    await answer.say("One 👋 two ")
    epoch, top = await head(answer.claim.conversation)
    point = {"conversation": str(answer.claim.conversation), "epoch": epoch, "seq": top}
    async with connect(alice, resume=[{**point, "runs": {str(answer.claim.run): 6}}]) as socket:
        delta = await socket.hear("delta")
        assert (delta["offset"], delta["text"]) == (6, "two ")
        await answer.say("three")
        await answer.end()
        assert await heard_text(socket, "One 👋 two ") == "One 👋 two three"


@pytest.mark.parametrize("offset", [8, 9, 10**9])
async def test_a_client_that_holds_all_or_more_gets_nothing_twice(alice: User, answer: Answer, offset: int) -> None:
    await answer.say("12345678")
    epoch, top = await head(answer.claim.conversation)
    point = {"conversation": str(answer.claim.conversation), "epoch": epoch, "seq": top}
    async with connect(alice, resume=[{**point, "runs": {str(answer.claim.run): offset}}]) as socket:
        await socket.hear("catchup")
        assert await socket.hears_nothing()


async def test_attach_gives_the_rest(alice: User, alice_socket: Socket, answer: Answer) -> None:
    await answer.say("One 👋 two")
    attach = {"type": "attach", "ref": "a", "run": str(answer.claim.run)}
    for offset, text in ((0, "One 👋 two"), (4, "👋 two"), (9, ""), (99, "")):
        await alice_socket.say(**attach, offset=offset)
        delta = await alice_socket.hear("delta")
        assert (delta["ref"], delta["offset"], delta["text"]) == ("a", offset, text)
    await answer.end()
    await alice_socket.say(**attach, offset=6)
    assert (await alice_socket.hear("delta"))["text"] == "two"


async def test_attach_to_a_run_that_waits_in_the_queue(alice: User, alice_socket: Socket) -> None:
    conversation = await in_thread(conversation_with, alice)
    run = await in_thread(ask, alice, conversation)
    await alice_socket.say(type="attach", ref=1, run=str(run.id), offset=0)
    delta = await alice_socket.hear()
    assert (delta["text"], delta["message"]) == ("", None)


async def test_a_strangers_attach_and_stop(mallory: User, answer: Answer) -> None:
    async with connect(mallory) as socket:
        for run in (str(answer.claim.run), str(new_id()), "nonsense"):
            await socket.say(type="attach", ref=1, run=run, offset=0)
            assert (await socket.hear())["code"] == "not_found"
            await socket.say(type="stop", ref=1, run=run)
            assert (await socket.hear())["code"] == "not_found"


async def test_long_answers_come_in_frames_that_are_not_too_large(
    alice: User, alice_socket: Socket, answer: Answer
) -> None:
    for _ in range(9):
        await answer.say("👋" * 10_000)
    await alice_socket.say(type="attach", ref=1, run=str(answer.claim.run), offset=5)
    held = 5
    while held < 90_000:
        delta = await alice_socket.hear("delta")
        assert delta["offset"] == held
        assert len(delta["text"].encode()) < 200_000
        held += len(delta["text"])


async def test_without_hints_the_poll_brings_deltas(alice: User, answer: Answer) -> None:
    async with joined(alice, answer.claim.conversation) as socket:
        with without_hints():
            held = ""
            for number in range(3):
                await answer.say(f"piece {number} ")
                held = applied(held, await socket.hear("delta", seconds=3))
            assert held == answer.text


async def test_two_readers_of_which_one_came_late_hold_the_same(alice: User, answer: Answer) -> None:
    """Deltas that come while a joiner is being brought up to date are neither lost nor out of place."""
    conversation = answer.claim.conversation
    async with joined(alice, conversation) as first:
        writing = asyncio.create_task(_write(answer, 60))
        readers = [asyncio.create_task(_join_and_read(alice, conversation, delay / 50)) for delay in range(12)]
        await writing
        assert await heard_text(first) == answer.text
        assert await asyncio.gather(*readers) == [answer.text] * len(readers)


async def _write(answer: Answer, count: int) -> None:
    for number in range(count):
        await answer.say(f"word{number} ")
    await asyncio.sleep(0.5)
    await answer.end()


async def _join_and_read(user: User, conversation: UUID, delay: float) -> str:
    await asyncio.sleep(delay)
    async with joined(user, conversation, seq=0) as socket:
        return await heard_text(socket)


async def test_stop_by_another_member_keeps_what_is_stored(alice: User, alice_socket: Socket, answer: Answer) -> None:
    await answer.say("Half an ans")
    await join(alice_socket, answer.claim.conversation)
    async with connect(alice) as other:
        await other.say(type="stop", ref="s", run=str(answer.claim.run))
        assert await other.hear() == {"type": "ok", "ref": "s"}
    end = await alice_socket.hear("run:end")
    assert (end["data"]["status"], end["data"]["text"]) == ("stopped", "Half an ans")
    assert end["actor"]["name"] == "Alice"
    assert (await Run.objects.aget(id=answer.claim.run)).status == "stopped"


async def test_stopping_what_has_ended(alice: User, alice_socket: Socket, answer: Answer) -> None:
    await answer.end()
    await alice_socket.say(type="stop", ref=1, run=str(answer.claim.run))
    error = await alice_socket.hear()
    assert (error["code"], error["ref"], error["retryable"]) == ("run_not_active", 1, False)
