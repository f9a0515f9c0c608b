"""Staff at their desks, and a conversation whose every secret has a word of its own."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations.models import Run
from conversations.services import conversations, feedback, messages, runs
from tests.conftest import new_user

# One word for each place where content is stored.
SECRETS = ("Turmeric", "Paprika", "Cardamom", "Saffron", "Juniper", "Caraway", "Nutmeg", "Fennel", "Sumac")
TITLE, QUESTION, ANSWER, INPUT, OUTPUT, SOURCE, ERROR, METADATA, COMMENT = SECRETS


def new_staff(name: str, *permissions: str) -> User:
    """A member of staff with these permissions (code names)."""
    user = new_user(name)
    User.objects.filter(id=user.id).update(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(id=user.id)


def browser(user: User | None = None) -> Client:
    """A browser, logged in as `user`."""
    client = Client()
    if user:
        client.force_login(user)
    return client


@pytest.fixture
def root_user() -> User:
    user = new_staff("Root")
    User.objects.filter(id=user.id).update(is_superuser=True)
    return user


@pytest.fixture
def root(root_user: User) -> Client:
    return browser(root_user)


@pytest.fixture
def clerk() -> Client:
    """Sees conversations and runs, but may not read content."""
    return browser(new_staff("Clerk", "view_conversation", "view_run", "view_auditentry"))


@dataclass(frozen=True)
class Case:
    """A conversation with an ended and a running answer."""

    conversation: UUID
    ended: UUID
    running: UUID
    claim: runs.Claim

    @property
    def page(self) -> str:
        return f"/admin/conversations/conversation/{self.conversation}/change/"

    @property
    def run_page(self) -> str:
        return f"/admin/conversations/run/{self.ended}/change/"


def _claimed(conversation: UUID) -> runs.Claim:
    claim = runs.claim(conversation=conversation, worker="worker-7")
    assert claim
    return claim


@pytest.fixture
def case(alice: User, bob: User) -> Case:
    made = conversations.create(
        user=alice,
        title=f"About {TITLE}",
        assistant="guide",
        metadata={"customer": METADATA},
        members=[{"user": str(bob.id)}],
        message=f"What is **{QUESTION}**?",
    ).result()
    conversation = made.conversation.id
    first = _claimed(conversation)
    step = {"step": str(new_id()), "kind": "retrieval", "name": "search", "input": INPUT}
    runs.step(claim=first, data={**step, "status": "running"}).result()
    sources = [{"title": SOURCE}]
    runs.step(claim=first, data={**step, "status": "completed", "output": OUTPUT, "sources": sources}).result()
    error = {"code": "provider_error", "message": ERROR}
    runs.end(claim=first, status="failed", text=f"A *spice*: {ANSWER}", usage={"total_tokens": 7}, error=error).result()
    return _with_second_answer(alice, conversation, first.run)


def _with_second_answer(alice: User, conversation: UUID, ended: UUID) -> Case:
    rated = Run.objects.get(id=ended).message
    assert rated
    opinion = {"rating": "down", "comment": f"No {COMMENT}!"}
    feedback.give(user=alice, conversation=conversation, message=rated, changes=opinion).result()
    messages.send(user=alice, conversation=conversation, text=f"More {QUESTION}!", cmid="second").result()
    claim = _claimed(conversation)
    assert Run.objects.get(id=claim.run).status == "running"
    return Case(conversation, ended, claim.run, claim)
