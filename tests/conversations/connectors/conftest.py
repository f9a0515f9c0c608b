"""Staff who connect things, and connectors of their own for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.ids import new_id
from conversations.models import Connector
from conversations.services import connectors
from tests.api import Api
from tests.conversations.admin.conftest import new_staff
from tests.conversations.assistants.conftest import watching

__all__ = ["watching"]
ACTS = ("view", "add", "change", "delete")
# Makes a connector: kind, configuration, secrets.
Connect = Callable[..., Connector]


@pytest.fixture
def builder() -> User:
    """Staff who may do everything with connectors."""
    return new_staff("Builder", *(f"{act}_connector" for act in ACTS))


@pytest.fixture
def as_builder(builder: User) -> Api:
    return Api(tokens.issue(builder)["access"])


@pytest.fixture(autouse=True)
def our_own_network() -> Iterator[None]:
    """Servers of tests are on loopback, which no connector reaches unless the operator says so."""
    with override_settings(OUTGOING_ALLOWED_HOSTS=["127.0.0.1"]):
        yield


@pytest.fixture
def connect(builder: User) -> Connect:
    def make(kind: str, config: dict[str, Any], **more: Any) -> Connector:
        name = f"{kind}-{new_id().hex[-10:]}"
        return connectors.create(staff=builder, given={"name": name, "kind": kind, "config": config, **more})

    return make
