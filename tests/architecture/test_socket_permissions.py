"""Law 6 on sockets: every command, of everybody."""

from typing import Any

import pytest

from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from realtime.commands import COMMANDS
from tests.architecture.cast import PASSWORD, Cast
from tests.architecture.policies import ALL, LOGIN, ROLES, SPEAK
from tests.sockets import Frame, Socket, connect

pytestmark = pytest.mark.usefixtures("realtime_layer")
# By the type of the frame: who may, and what else it says. `ref` is added where the frame has one.
COMMANDS_OF: dict[str, tuple[str, Frame]] = {
    "join": (ALL, {}),
    "fetch": (ALL, {"after_seq": 0, "limit": 10}),
    "attach": (ALL, {"offset": 0}),
    "read": (ALL, {"seq": 1}),
    "send": (SPEAK, {"cmid": "from the matrix", "text": "Hi"}),
    "typing": (SPEAK, {"on": True}),
    "state": (SPEAK, {"key": "k", "value": 1, "clock": {"vector": {"test": 1}, "wall": 0}}),
    "stop": (SPEAK, {}),
    # These concern the connection alone; leaving what one is not in is no error.
    "leave": (LOGIN, {}),
    "ack": (LOGIN, {"n": 1}),
    "pong": (LOGIN, {"n": 1}),
    "auth": (LOGIN, {}),
}
NEEDS_JOINING = ("read", "typing", "state")
TAGS = {str(frame.__struct_config__.tag): frame for frame in COMMANDS}
INSIDE = (*ROLES, "stranger", "staff", "reader")


def test_every_command_has_a_policy() -> None:
    assert TAGS.keys() - {"hello"} <= COMMANDS_OF.keys()


@pytest.mark.parametrize("tag", sorted(TAGS.keys() & COMMANDS_OF.keys()))
async def test_a_command_of_everybody(tag: str) -> None:
    cast = await in_thread(Cast)
    policy, _ = COMMANDS_OF[tag]
    for who in sorted(INSIDE, key=lambda who: who in policy.split()):
        async with connect(cast.users[who]) as socket:
            if tag in NEEDS_JOINING and who in ROLES:
                await outcome(socket, cast, "join")
            assert await outcome(socket, cast, tag) == expected(policy, who), f"{who}: {tag}"


def expected(policy: str, who: str) -> str:
    if policy == LOGIN or who in policy.split():
        return "in"
    return "forbidden" if who in ROLES else "not_found"


async def outcome(socket: Socket, cast: Cast, tag: str) -> str:
    """`in`, or the code of the error that the frame was answered with."""
    fields = set(TAGS[tag].__struct_fields__)
    ref, token = str(new_id()), await in_thread(cast.access_of, socket.welcome["user"]["id"])
    places = {"conversation": str(cast.conversation), "run": str(cast.run), "ref": ref, "token": token}
    await socket.say(
        type=tag, **{name: value for name, value in places.items() if name in fields}, **COMMANDS_OF[tag][1]
    )
    if "ref" in fields:
        return code(await socket.answer(ref))
    await socket.say(type="leave", ref=ref, conversation=str(new_id()))
    while (frame := await socket.hear()).get("ref") != ref:
        if frame["type"] == "error":
            return code(frame)
    return "in"


def code(frame: Frame) -> str:
    """Whoever is told that a run has ended already got past the door."""
    return "in" if frame["type"] != "error" or frame["code"] == "run_not_active" else str(frame["code"])


@pytest.mark.parametrize("secret", ["token", "ticket"])
async def test_a_link_opens_no_socket(secret: str) -> None:
    """Who has no account says nothing but `hello`, and is sent away; neither the link nor its password changes that."""
    cast = await in_thread(Cast)
    for tried in (await in_thread(lambda: cast.token), PASSWORD):
        async with connect(None) as socket:
            await socket.say(type="hello", v=1, client_id="test", **{secret: tried})
            assert (await socket.hear("error"))["code"] == "unauthenticated"
            assert await socket.closed_with() == 4501


@pytest.mark.parametrize("tag", sorted(TAGS.keys() & COMMANDS_OF.keys()))
async def test_nothing_before_hello(tag: str) -> None:
    fields: dict[str, Any] = {"conversation": str(new_id()), "run": str(new_id()), "ref": "1", "token": "x"}
    known = set(TAGS[tag].__struct_fields__)
    async with connect(None) as socket:
        await socket.say(type=tag, **{name: v for name, v in fields.items() if name in known}, **COMMANDS_OF[tag][1])
        assert await socket.closed_with() >= 4500
