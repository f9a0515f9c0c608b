"""Frames of the right shape, with values likely and not: the right codes, no crash, and nothing for strangers."""

import asyncio
import json
import logging
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from chatproject.lib.errors import CODES
from chatproject.lib.ids import new_id
from conversations.services import messages
from realtime.commands import COMMANDS
from tests.realtime.test_bad_frames import ID, VALUES
from tests.sockets import Frame, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
SECRET = "the treasure lies under the old oak"
Strategy = st.SearchStrategy[Any]
SMALL = st.integers(-1, 4)
LIKELY: dict[str, Strategy] = {
    "ref": st.integers(0, 9) | st.text(max_size=4),
    "client_id": st.just("fuzz"),
    "cmid": st.text(max_size=4),
    "text": st.text(max_size=20),
    "limit": st.integers(0, 201),
    "since": st.sampled_from(["2026-01-01T00:00:00Z", "2026-13-01", "now", ""]),
    "on": st.booleans(),
    "on_busy": st.sampled_from(["reject", "enqueue", "interrupt", "rollback", "wait"]),
    "assistant": st.sampled_from(["guide", "nobody"]) | st.none(),
    "action": st.sampled_from(["chat", "dance"]) | st.none(),
    "key": st.text(max_size=4),
    "clock": st.fixed_dictionaries({"vector": st.dictionaries(st.sampled_from(["fuzz", "x"]), SMALL), "wall": SMALL}),
    "parts": st.lists(st.fixed_dictionaries({"type": st.just("file"), "id": st.just(ID)}), max_size=2) | st.none(),
    **dict.fromkeys(("seq", "after_seq", "offset", "seen_seq", "n", "v"), SMALL),
}


def frames(ids: dict[str, str]) -> Strategy:
    """Frames of every kind, most of their fields as they should be, about the things in `ids` and about others."""
    return reduce(or_, (_frames_of(kind, ids) for kind in COMMANDS))


def _frames_of(kind: type[msgspec.Struct], ids: dict[str, str]) -> Strategy:
    known = {name: st.sampled_from([id_, id_, ID, id_.upper(), id_[:-1]]) for name, id_ in ids.items()}
    fields = {field.encode_name: {**LIKELY, **known}.get(field.name, VALUES) for field in msgspec.structs.fields(kind)}
    right = st.fixed_dictionaries({"type": st.just(kind.__struct_config__.tag), **fields})
    wrong = st.dictionaries(st.sampled_from(sorted(fields)), VALUES, max_size=1)
    return st.builds(dict.__or__, right, st.just({}) | wrong)


async def heard(user: User, said: list[Frame]) -> list[Frame]:
    """What comes back for some frames, too few to be sent away for."""
    found: list[Frame] = []
    async with connect(user) as socket:
        for frame in said:
            await socket.say_raw(json.dumps(frame))
        await socket.say(type="leave", ref="the last one", conversation=ID)
        while not found or found[-1].get("ref") != "the last one":
            found.append(await socket.hear())
    return found


async def place(alice: User, conversation: UUID) -> dict[str, str]:
    """Ids of what is in Alice's conversation: a question, and the run that waits to answer it."""
    asking = messages.send(
        user=alice, conversation=conversation, text=SECRET, cmid=str(new_id()), assistant="guide", on_busy="enqueue"
    )
    said = (await asyncio.wrap_future(asking)).main["data"]
    return {"conversation": str(conversation), "reply_to": said["message"], "run": said["run"]}


FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(st.data())
async def test_whoever_takes_part(
    alice: User, conversation: UUID, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    caplog.clear()
    said = data.draw(st.lists(frames(await place(alice, conversation)), min_size=1, max_size=4))
    codes = {frame["code"] for frame in await heard(alice, said) if frame["type"] == "error"}
    assert codes <= CODES.keys() - {"internal", "unavailable"}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@FUZZ
@given(st.data())
async def test_a_stranger_learns_nothing(
    alice: User, mallory: User, conversation: UUID, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    """However she asks: not what was said, nor who is there, nor that there is anything."""
    caplog.clear()
    said = data.draw(st.lists(frames(await place(alice, conversation)), min_size=1, max_size=4))
    answers = await heard(mallory, said)
    assert {frame["type"] for frame in answers} <= {"error", "ok"}
    codes = {frame["code"] for frame in answers if frame["type"] == "error"}
    # What `auth` shows is no token, and that is about herself.
    about_herself = {"unauthenticated"} if any(frame["type"] == "auth" for frame in said) else set()
    assert codes <= {"not_found", "invalid", "too_large"} | about_herself
    assert not any(word in json.dumps(answers) for word in (SECRET, "Plans", "Alice", "Bob", str(alice.id)))
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
