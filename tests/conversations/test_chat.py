"""Chat in a deployer's own views."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.chat import chat_for


def request_of(user: User | AnonymousUser, store: SessionStore) -> HttpRequest:
    request = HttpRequest()
    request.user, request.session = user, store
    return request


def test_one_browser_has_one_chat(alice: User) -> None:
    store = SessionStore()
    chat = chat_for(request_of(alice, store))
    assert chat.say("Hello") is None
    again = chat_for(request_of(alice, store))
    assert [message["text"] for message in again.messages()] == ["Hello"]


def test_an_ended_chat_is_followed_by_a_new_one(alice: User) -> None:
    store = SessionStore()
    first = chat_for(request_of(alice, store))
    first.end()
    assert chat_for(request_of(alice, store)).conversation != first.conversation


def test_another_user_of_the_browser_has_another_chat(alice: User, bob: User) -> None:
    store = SessionStore()
    first = chat_for(request_of(alice, store))
    assert chat_for(request_of(bob, store)).conversation != first.conversation


def test_nobody(alice: User) -> None:
    with pytest.raises(Problem) as refused:
        chat_for(request_of(AnonymousUser(), SessionStore()))
    assert refused.value.code.name == "unauthenticated"
