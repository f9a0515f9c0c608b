"""Open rooms are told that assistants came, went or changed."""

import asyncio
from uuid import UUID

from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations.services import connectors
from tests.conversations.admin.conftest import new_staff
from tests.sockets import Socket


async def test_a_change_of_a_connector_is_told_within_seconds(conversation: UUID, alice_socket: Socket) -> None:
    await alice_socket.say(type="join", ref="1", conversation=str(conversation))
    await alice_socket.answer("1")
    await asyncio.sleep(1.5)  # rooms are told what is new since the poll before
    builder = await in_thread(new_staff, "Builder", "add_connector", "change_connector")
    name = f"tools-{new_id().hex[-10:]}"
    given = {"name": name, "kind": "mcp", "config": {"url": "https://mcp.example/"}}
    row = await in_thread(lambda: connectors.create(staff=builder, given=given))
    expected = {"type": "assistants:changed", "conversation": str(conversation), "assistants": [name]}
    assert await alice_socket.hear("assistants:changed") == expected
    await in_thread(lambda: connectors.change(staff=builder, connector=row, changes={"enabled": False}))
    assert await alice_socket.hear("assistants:changed") == expected
