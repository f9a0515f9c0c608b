"""A new epoch under the eyes of connected clients: old cursors are answered `resync` on every transport."""

from uuid import UUID

from accounts.models import User
from chatproject.lib.threads import in_thread
from conversations.services import maintenance
from tests.api import Api
from tests.realtime.support import fill, head, join, joined
from tests.sockets import connect


async def renew(conversation: UUID) -> None:
    await in_thread(lambda: list(maintenance.renew_epochs(conversation=conversation)))


async def test_whoever_is_there_joins_again(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    await fill(alice, conversation, 3)
    async with joined(bob, conversation) as socket:
        await renew(conversation)
        assert await socket.closed_with() == 4005


async def test_an_old_cursor_on_a_socket(alice: User, bob: User, conversation: UUID, realtime_layer: None) -> None:
    await fill(alice, conversation, 3)
    epoch, seq = await head(conversation)
    await renew(conversation)
    async with connect(bob) as socket:
        await socket.say(type="join", ref="j", conversation=str(conversation), epoch=epoch, seq=seq)
        assert (await socket.hear("joined"))["resumed"] is False
        resync = await socket.hear("resync")
        assert (resync["reason"], resync["head"]) == ("epoch", seq)
        assert len(resync["snapshot"]["state"]["messages"]) == 3
        again = await join(socket, conversation, epoch=resync["epoch"], seq=seq)
        assert again["resumed"] is True


def test_an_old_cursor_over_http(as_bob: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/events/"
    epoch = as_bob.get(path).json["epoch"]
    list(maintenance.renew_epochs(conversation=conversation))

    rest = as_bob.get(f"{path}?after_seq=1&epoch={epoch}")
    stream = as_bob.get(path, Accept="text/event-stream", Last_Event_ID=f"{epoch}:1")

    for answer in (rest, stream):
        assert (answer.status, answer.code, answer.json["reason"]) == (409, "resync_required", "epoch")
