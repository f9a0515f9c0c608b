"""The cast at the pages."""

from uuid import UUID

import pytest

from accounts.models import User
from tests.conversations.views.visitor import Visitor


@pytest.fixture
def alices(alice: User) -> Visitor:
    return Visitor(alice)


@pytest.fixture
def bobs(bob: User) -> Visitor:
    return Visitor(bob)


@pytest.fixture
def mallorys(mallory: User) -> Visitor:
    return Visitor(mallory)


@pytest.fixture
def thread(conversation: UUID) -> str:
    return f"/c/{conversation}/"
