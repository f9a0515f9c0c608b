"""Two people in one conversation, over two sockets."""

from uuid import UUID

from tests.sockets import Socket


async def test_what_alice_says_bob_hears(conversation: UUID, alice_socket: Socket, bob_socket: Socket) -> None:
    for socket in (alice_socket, bob_socket):
        await socket.say(type="join", ref=1, conversation=str(conversation), seq=0)
        joined = await socket.hear("joined")
        assert (joined["head"], joined["ref"], joined["resumed"]) == (2, 1, True)
        caught_up = await socket.hear("catchup")
        assert [event["type"] for event in caught_up["events"]] == ["conversation:new", "member:add"]
        assert caught_up["done"]

    await alice_socket.say(type="send", ref=2, conversation=str(conversation), cmid="m1", text="Hello Bob")

    sent = await alice_socket.hear("sent")
    assert (sent["seq"], sent["dup"], sent["ref"]) == (3, False, 2)
    heard = await bob_socket.hear("message:new")
    assert (heard["seq"], heard["data"]["text"], heard["actor"]["name"]) == (3, "Hello Bob", "Alice")
