"""What tests of sockets share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from django.test import override_settings

from accounts.models import User
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.services import members, messages
from tests.sockets import Frame, Socket, connect


async def write(user: User, conversation: UUID, text: str = "Hello", *, cmid: str | None = None) -> Frame:
    """Say something through the service, as another process would; the event."""
    done = messages.send(user=user, conversation=conversation, text=text, cmid=cmid or str(new_id()))
    return (await asyncio.wrap_future(done)).main


async def fill(user: User, conversation: UUID, count: int, text: str = "Hello") -> None:
    """Say `count` things; those that wait share commits."""
    await asyncio.gather(*(write(user, conversation, f"{text} {number}") for number in range(count)))


async def remove(actor: User, conversation: UUID, user: User) -> None:
    await asyncio.wrap_future(members.remove(actor=actor, conversation=conversation, user=user.id))


async def change_role(actor: User, conversation: UUID, user: User, role: str) -> None:
    await asyncio.wrap_future(members.change(actor=actor, conversation=conversation, user=user.id, role=role))


async def head(conversation: UUID) -> tuple[str, int]:
    return await in_thread(selectors.head, conversation)


async def log(conversation: UUID, after: int = 0) -> list[Frame]:
    """The log as REST gives it."""
    return await in_thread(selectors.events, conversation, after, 10_000)


async def join(socket: Socket, conversation: UUID, **where: Any) -> Frame:
    """Join and read up to the last page of what was missing; the `joined` frame."""
    await socket.say(type="join", ref="j", conversation=str(conversation), **where)
    joined = await socket.hear("joined")
    while not (await socket.hear("catchup"))["done"]:
        pass
    return joined


async def seqs(socket: Socket, upto: int) -> list[int]:
    """The numbers of the events that come, one by one or in pages, until `upto` did."""
    found: list[int] = []
    while not found or found[-1] < upto:
        found += [event["seq"] for event in events_in(await socket.hear())]
    return found


def events_in(frame: Frame) -> Iterator[Frame]:
    """The events that a frame brings."""
    if frame["type"] == "catchup":
        yield from frame["events"]
    elif "data" in frame:
        yield frame


@asynccontextmanager
async def joined(user: User, conversation: UUID, **where: Any) -> AsyncIterator[Socket]:
    """A socket of `user` in a conversation, with nothing unread."""
    async with connect(user) as socket:
        await join(socket, conversation, **where)
        yield socket


@contextmanager
def without_hints() -> Iterator[None]:
    """No hint leaves this process: only the poll delivers."""
    with override_settings(EVENT_PUBLISHERS=[]):
        yield
