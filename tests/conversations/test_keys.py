"""Data keys: unwrapped once, bounded in memory, and of one conversation only."""

from uuid import UUID, uuid4

import pytest

from accounts.models import User
from chatproject.lib.crypto import CryptoError
from chatproject.lib.errors import Problem
from conversations import keys
from conversations.models import Conversation
from conversations.services import conversations


def test_a_key_is_found_again_after_it_was_forgotten(conversation: UUID) -> None:
    first = keys.of(conversation)
    keys._cache.clear()
    assert keys.of(conversation) == first
    assert keys.load([conversation, uuid4()]) == {conversation: first}


def test_every_conversation_has_its_own(alice: User, conversation: UUID) -> None:
    other = conversations.create(user=alice).result(30).conversation.id
    assert keys.of(other).secret != keys.of(conversation).secret


def test_no_key_no_conversation() -> None:
    with pytest.raises(Problem, match="not_found"):
        keys.of(uuid4())


def test_a_wrapped_key_that_was_moved_does_not_open(alice: User, conversation: UUID) -> None:
    other = conversations.create(user=alice).result(30).conversation
    Conversation.objects.filter(id=other.id).update(data_key=Conversation.objects.get(id=conversation).data_key)
    keys._cache.pop(other.id)
    with pytest.raises(CryptoError):
        keys.of(other.id)


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch, conversation: UUID) -> None:
    monkeypatch.setattr(keys, "CACHE_SIZE", 5)
    key = keys.of(conversation)
    for _ in range(20):
        keys.remember(uuid4(), key)
    assert len(keys._cache) <= 5
    assert keys.of(conversation) == key
