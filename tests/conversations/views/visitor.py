"""Somebody at the pages with JavaScript off, and what happens meanwhile."""

from typing import Any
from uuid import UUID

from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Run
from conversations.services import messages, runs


class Visitor:
    """A browser with a session; `page` is what it got last."""

    def __init__(self, user: User | None) -> None:
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user)

    def get(self, path: str) -> Any:
        return self.remember(self.client.get(path))

    def post(self, path: str, **fields: Any) -> Any:
        return self.remember(self.client.post(path, fields))

    def remember(self, response: Any) -> Any:
        self.page = response.content.decode()
        return response


def say(user: User, conversation: UUID, text: str, **more: Any) -> dict[str, Any]:
    return messages.send(user=user, conversation=conversation, text=text, cmid=str(new_id()), **more).result().main


def ended(conversation: UUID, text: str, status: str = "completed", **more: Any) -> Run:
    """The oldest queued answer, written and ended."""
    claim = runs.claim(conversation=conversation, worker="test")
    assert claim
    runs.end(claim=claim, status=status, text=text, **more).result()
    return Run.objects.get(id=claim.run)
