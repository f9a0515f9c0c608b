"""Whatever comes in: the right code, no crash, no traceback, and the connection as the protocol has it."""

import json
import logging
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.errors import CODES, Problem
from realtime import protocol
from realtime.commands import COMMANDS
from tests.sockets import Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
ID = "018f0000-0000-7000-8000-000000000000"
BIG = 10**30

MALFORMED = {
    "no JSON": "{",
    "nothing": "",
    "a word": "hello",
    "a number": "7",
    "a string": '"hello"',
    "null": "null",
    "no type": "{}",
    "an unknown frame": '{"type": "dance"}',
    "a type that is no text": '{"type": 7}',
    "a field that is missing": '{"type": "join", "ref": 1}',
    "a wrong type": '{"type": "join", "ref": 1, "conversation": 7}',
    "a negative seq": f'{{"type": "join", "ref": 1, "conversation": "{ID}", "seq": -1}}',
    "a huge seq": f'{{"type": "join", "ref": 1, "conversation": "{ID}", "seq": {BIG}}}',
    "a fractional seq": f'{{"type": "join", "ref": 1, "conversation": "{ID}", "seq": 1.5}}',
    "a boolean seq": f'{{"type": "join", "ref": 1, "conversation": "{ID}", "seq": true}}',
    "a limit above 200": f'{{"type": "fetch", "ref": 1, "conversation": "{ID}", "after_seq": 0, "limit": 201}}',
    "a limit of 0": f'{{"type": "fetch", "ref": 1, "conversation": "{ID}", "after_seq": 0, "limit": 0}}',
    "NaN": '{"type": "ack", "n": NaN}',
    "infinity": '{"type": "ack", "n": Infinity}',
    "a number beyond all": '{"type": "ack", "n": 1e999}',
    "a lone surrogate": f'{{"type": "leave", "conversation": "\\ud800{ID[:8]}"}}',
    "deep nesting": "[" * 20_000,
    "deep nesting in a field": '{"type": "ack", "n": ' + "[" * 20_000 + "]" * 20_000 + "}",
    "many keys and no type": json.dumps({f"k{number}": number for number in range(1000)}),
    "21 levels in a field": f'{{"type": "leave", "conversation": "{ID}", "x": {"[" * 20 + "]" * 20}}}',
    "101 keys": json.dumps({"type": "leave", "conversation": ID} | {f"k{number}": number for number in range(99)}),
    "101 keys further in": json.dumps(
        {"type": "leave", "conversation": ID, "x": [{f"k{number}": number for number in range(101)}]}
    ),
    "a ref that no client can hold": f'{{"type": "leave", "ref": {2**53 + 1}, "conversation": "{ID}"}}',
    "a ref beyond all": f'{{"type": "leave", "ref": {"1" * 5000}, "conversation": "{ID}"}}',
    "an array in an array": '[[{"type": "pong", "n": 1}]]',
    "one bad frame in a batch": '[{"type": "pong", "n": 1}, {"type": "dance"}]',
    "a ref that is an object": f'{{"type": "join", "ref": {{}}, "conversation": "{ID}"}}',
    "a cmid that is empty": f'{{"type": "send", "ref": 1, "conversation": "{ID}", "cmid": "", "text": "Hi"}}',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_frame_is_answered_and_the_next_one_is_heard(alice_socket: Socket, text: str) -> None:
    await alice_socket.say_raw(text)
    error = await alice_socket.hear()
    assert (error["type"], error["code"], error["retryable"]) == ("error", "invalid", False)
    assert "Traceback" not in error["message"]
    await alice_socket.say(type="leave", ref="still here", conversation=ID)
    assert await alice_socket.hear() == {"type": "ok", "ref": "still here"}


@pytest.mark.parametrize(("ref", "told"), [("mine", "mine"), (7, 7), ([1], None), ("x" * 200, None)])
async def test_the_answer_says_which_frame_was_malformed(alice_socket: Socket, ref: Any, told: Any) -> None:
    await alice_socket.say(type="fetch", ref=ref, conversation=ID, after_seq=0, limit=1000)
    error = await alice_socket.hear()
    assert (error["code"], error.get("ref")) == ("invalid", told)


async def test_the_fifth_malformed_frame_closes(alice_socket: Socket) -> None:
    for _ in range(4):
        await alice_socket.say_raw("{")
        assert (await alice_socket.hear())["code"] == "invalid"
    await alice_socket.say_raw("{")
    assert (await alice_socket.hear())["code"] == "invalid"
    assert await alice_socket.closed_with() == 4509


async def test_what_is_refused_for_its_content_is_not_malformed(alice_socket: Socket) -> None:
    for ref in range(8):
        await alice_socket.say(type="join", ref=ref, conversation=ID)
        assert (await alice_socket.hear())["code"] == "not_found"


async def test_malformed_frames_before_hello_count_too() -> None:
    async with connect(None) as socket:
        for _ in range(5):
            await socket.say_raw("{")
        assert await socket.closed_with() == 4509


async def test_binary_is_final(alice_socket: Socket) -> None:
    await alice_socket.say_raw(data=b"\x00\x01")
    assert await alice_socket.closed_with() == 4500


@pytest.mark.parametrize("letter", ["x", "漢", "👋"])
async def test_a_frame_of_64_kib_and_one_byte_is_too_big(alice_socket: Socket, letter: str) -> None:
    def frame(size: int) -> str:
        head, tail = '{"type": "leave", "ref": 1, "conversation": "', '"}'
        room = size - len(head) - len(tail)
        letters = letter * (room // len(letter.encode()))
        return head + "y" * (room - len(letters.encode())) + letters + tail

    fits = frame(64 * 1024)
    assert len(fits.encode()) == 64 * 1024
    await alice_socket.say_raw(fits)
    assert (await alice_socket.hear())["code"] == "invalid"  # such an id there cannot be
    await alice_socket.say_raw(frame(64 * 1024 + 1))
    assert await alice_socket.closed_with() == 1009


async def test_a_batch_is_handled_in_order(alice_socket: Socket) -> None:
    await alice_socket.say_raw(json.dumps([{"type": "leave", "ref": n, "conversation": ID} for n in range(50)]))
    assert [(await alice_socket.hear("ok"))["ref"] for _ in range(50)] == list(range(50))


async def test_too_many_frames_at_once_are_told_to_wait(alice_socket: Socket, conversation: UUID) -> None:
    """Of those behind one that waits for the database; what waits for nothing is done at once, however many."""
    fetch = {"type": "fetch", "conversation": str(conversation), "after_seq": 0, "limit": 1}
    await alice_socket.say_raw(json.dumps([{**fetch, "ref": n} for n in range(300)]))
    heard = [await alice_socket.hear() for _ in range(300)]
    errors = [frame for frame in heard if frame["type"] == "error"]
    assert {frame["code"] for frame in errors} == {"rate_limited"}
    assert all(frame["retryable"] and frame["retry_after_ms"] for frame in errors)
    assert {frame["ref"] for frame in heard} == set(range(300))


async def test_a_frame_at_its_bounds_is_taken(alice_socket: Socket) -> None:
    """20 levels, 100 keys, the largest number; and a text may hold as many brackets as it likes."""
    many = {f"k{number}": number for number in range(96)}
    deep = json.loads("[" * 19 + "]" * 19)
    await alice_socket.say(type="leave", ref=2**53, conversation=ID, x=deep, **many)
    assert await alice_socket.hear() == {"type": "ok", "ref": 2**53}
    text = "{[:" * 5000
    await alice_socket.say(type="send", ref="text", conversation=ID, cmid="1", text=text)
    assert (await alice_socket.answer("text"))["code"] == "not_found"


async def test_fields_that_nobody_knows_are_ignored(alice_socket: Socket) -> None:
    await alice_socket.say(type="leave", ref=1, conversation=ID, colour="red", __proto__={})
    assert (await alice_socket.hear())["type"] == "ok"


async def test_an_acknowledgement_of_what_was_never_sent(alice_socket: Socket) -> None:
    await alice_socket.say(type="ack", n=1000)
    assert (await alice_socket.hear())["code"] == "invalid"


FRAMES = [*(frame.__struct_config__.tag for frame in COMMANDS), "hello", "dance"]
IDENTITY = ["v", "client_id", "token", "ticket", "session", "resume"]
PLACE = ["ref", "conversation", "epoch", "seq", "since", "run", "after_seq", "limit", "offset"]
CONTENT = ["cmid", "text", "action", "assistant", "reply_to", "on_busy", "seen_seq", "on", "n", "parts"]
STATE = ["key", "value", "clock"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just(ID),
    st.just("2026-01-01T00:00:00Z"),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
ANY_FRAME = st.builds(
    lambda fields, kind: {**fields, "type": kind},
    st.dictionaries(st.sampled_from(IDENTITY + PLACE + CONTENT + STATE), VALUES, max_size=8),
    st.sampled_from(FRAMES),
)
ANY_TEXT = st.one_of(
    ANY_FRAME.map(json.dumps),
    st.lists(ANY_FRAME, max_size=4).map(json.dumps),
    st.text(max_size=60),
    st.recursive(st.none() | st.integers() | st.text(max_size=3), st.lists, max_leaves=5).map(json.dumps),
)


class Invalid(Exception):
    """The one answer to what is no frame."""


def decoded(text: str) -> object:
    try:
        return protocol.decode(text)
    except Problem as problem:
        json.dumps(protocol.error_frame(problem), allow_nan=False).encode()
        raise (Invalid if problem.code.name == "invalid" else AssertionError)(problem) from problem


@given(ANY_TEXT)
def test_decoding_gives_frames_or_a_problem(text: str) -> None:
    with suppress(Invalid):
        assert isinstance(decoded(text), list)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.data())
async def test_no_frame_breaks_a_connection(
    alice: User, realtime_layer: None, caplog: pytest.LogCaptureFixture, data: Any
) -> None:
    """Anything is answered with known codes; errors of ours would be logged with a traceback."""
    caplog.clear()
    texts = data.draw(st.lists(ANY_TEXT.filter(_well_formed), min_size=1, max_size=4))
    async with connect(alice) as socket:
        for text in texts:
            await socket.say_raw(text)
        await socket.say(type="leave", ref="last", conversation=ID)
        while (frame := await socket.hear())["type"] != "ok" or frame["ref"] != "last":
            if frame["type"] == "error":
                assert frame["code"] in CODES.keys() - {"internal"}, frame
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def _well_formed(text: str) -> bool:
    """What a WebSocket can carry."""
    return all(not 0xD800 <= ord(letter) < 0xE000 for letter in text)
