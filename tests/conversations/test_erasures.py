"""Every process notices erasures, whoever erased, and forgets twice: what a late reader kept goes too."""

from uuid import UUID

import pytest
from django.db.models.functions import Now

from conversations import erasures, keys, markdown
from conversations.models import Conversation


def erased_elsewhere(conversation: UUID) -> None:
    Conversation.objects.filter(id=conversation).update(data_key="", erased_at=Now())


def test_what_was_erased_elsewhere_is_forgotten_once_and_once_more(
    conversation: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[UUID] = []
    watch = erasures.Watch(forgotten.append)
    watch.look()
    erased_elsewhere(conversation)

    for _ in range(3):
        watch.look()
    assert forgotten.count(conversation) == 1

    monkeypatch.setattr(erasures, "AGAIN_SECONDS", 0)
    for _ in range(3):
        watch.look()
    assert forgotten.count(conversation) == 2


def test_a_forgotten_key_is_not_found_again(conversation: UUID) -> None:
    assert keys.find(conversation)
    erased_elsewhere(conversation)
    erasures.forget(conversation)
    assert keys.find(conversation) is None


def test_rendered_text_is_forgotten_too(conversation: UUID) -> None:
    markdown.render("persimmon")
    erasures.forget(conversation)
    assert markdown.render.cache_info().currsize == 0
