"""The cast (Alice owns, Bob is a member, Mallory is a stranger) and the doors they come through.

All tests share one database and leave their rows there, as a running product does: the log's writer has a
thread and a connection of its own, so nothing could be rolled back anyway. Everybody is new in every test.
"""

import os
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
import pytest_asyncio
from django.db import connection
from django.test.utils import override_settings, setup_databases
from pytest_django.plugin import DjangoDbBlocker

from accounts.identities import Identity
from accounts.models import User
from accounts.services import tickets, tokens, users
from chatproject.lib.ids import new_id
from conversations import erasures
from conversations.connectors import directory
from conversations.services import conversations
from realtime.hub import hub
from tests.api import Api
from tests.leaks import PASSWORD as PASSWORD
from tests.sockets import Socket, connect

# One user says here what many would, as fast as the machine is. Tests of these limits set them.
UNLIMITED = dict.fromkeys(("RUNS_PER_USER", "LIMIT_RUN", "LIMIT_SEND", "LIMIT_CONVERSATION", "LIMIT_CHANGE"), 0)
# What fails in one test is no reason to leave an assistant alone in the next.
UNLIMITED["BREAKER_CALLS"] = 10**9
# Snapshots and checks go through what all tests left, and nobody else is in their process.
UNLIMITED["BACKGROUND_PERCENT"] = 100


@pytest.fixture(scope="session", autouse=True)
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A migrated test database, open to every test; it goes with the server (or is replaced next time)."""
    # A slow hash is right for people, and would be half of the time of all tests.
    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"], **UNLIMITED)
    process = os.environ.get("PYTEST_XDIST_WORKER")
    if process:  # with servers of your own, the processes of `-n` share them
        connection.settings_dict["TEST"]["NAME"] = f"test_{connection.settings_dict['NAME']}_{process}"
    with quick, django_db_blocker.unblock():
        setup_databases(verbosity=0, interactive=False)
        yield
        erasures.end()
        directory.end()


def new_user(name: str) -> User:
    user = users.register(username=f"{name.lower()}-{new_id().hex[-12:]}", password=PASSWORD)
    return users.update_profile(user=user, changes={"name": name})


def identity_of(user: User) -> Identity:
    """The user, logged in once more."""
    return tokens.identify(tokens.issue(user)["access"])


def ticket_of(user: User) -> str:
    """A ticket that the user asked for, logged in once more."""
    return tickets.issue(identity_of(user))


@pytest.fixture
def alice() -> User:
    return new_user("Alice")


@pytest.fixture
def bob() -> User:
    return new_user("Bob")


@pytest.fixture
def mallory() -> User:
    return new_user("Mallory")


@pytest.fixture
def conversation(alice: User, bob: User) -> UUID:
    """Alice's conversation with Bob as editor; no assistant. Its head is 2."""
    made = conversations.create(user=alice, title="Plans", members=[{"user": str(bob.id), "role": "editor"}])
    return made.result().conversation.id


@pytest.fixture
def as_alice(alice: User) -> Api:
    return Api(tokens.issue(alice)["access"])


@pytest.fixture
def as_bob(bob: User) -> Api:
    return Api(tokens.issue(bob)["access"])


@pytest.fixture
def as_mallory(mallory: User) -> Api:
    return Api(tokens.issue(mallory)["access"])


@pytest.fixture
def as_nobody() -> Api:
    return Api(None)


@pytest_asyncio.fixture
async def realtime_layer() -> AsyncIterator[None]:
    """The hub of this test's event loop, ended with it."""
    yield
    await hub().stop()


@pytest_asyncio.fixture
async def alice_socket(alice: User, realtime_layer: None) -> AsyncIterator[Socket]:
    async with connect(alice) as socket:
        yield socket


@pytest_asyncio.fixture
async def bob_socket(bob: User, realtime_layer: None) -> AsyncIterator[Socket]:
    async with connect(bob) as socket:
        yield socket
