"""What tests of faults share."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread
from conversations import selectors
from conversations.models import Run
from conversations.services import conversations, integrity
from realtime.tasks import end, run_soon
from tests.faults.checker import Frame, History
from tests.faults.client import Client


async def until(condition: Callable[[], Any], seconds: float = 20, what: str = "") -> float:
    """Wait for a condition; how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, f"still not so after {seconds} s: {what or condition}"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


async def until_stored(condition: Callable[[], Any], seconds: float = 20) -> float:
    """Wait for a condition on the database; how long it took."""
    begun = time.monotonic()
    while not await in_thread(condition):
        assert time.monotonic() - begun < seconds, f"still not so after {seconds} s: {condition}"
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def client(user: User, addresses: list[str], history: History, places: Iterable[Any], seed: int = 1) -> Client:
    """A client of `user` that takes part in `places`; not connected yet."""
    token = (await in_thread(tokens.issue, user))["access"]
    made = Client(user.username, token, addresses, history, seed)
    for conversation in places:
        made.enter(str(conversation))
    return made


@asynccontextmanager
async def connected(*clients: Client) -> AsyncIterator[None]:
    """Have clients stay connected."""
    tasks = [run_soon(one.run()) for one in clients]
    try:
        await until(lambda: all(one.connections for one in clients))
        yield
    finally:
        await end(tasks)


async def place_of(user: User) -> UUID:
    """A new conversation, in which only messages that name an assistant are answered."""
    return (await asyncio.wrap_future(conversations.create(user=user))).conversation.id


async def log_of(conversation: Any) -> list[Frame]:
    return await in_thread(selectors.events, conversation, 0, 100_000)


def stored_of(conversation: Any) -> int:
    """How much of the running answer is stored."""
    run = Run.objects.filter(conversation=conversation, status=Run.Status.RUNNING).first()
    return run.stored if run else 0


def status_of(conversation: Any) -> str:
    """The status of the latest run."""
    run = Run.objects.filter(conversation=conversation).order_by("-queued_seq").first()
    return run.status if run else ""


def damage(conversations: Iterable[Any]) -> list[str]:
    """What `manage.py verify` finds: nothing, whatever was killed."""
    reports = [integrity.verify(conversation=UUID(str(id_))) for id_ in conversations]
    return [f"{report.conversation} {finding}" for report in reports for finding in report.findings]
