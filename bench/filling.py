"""Conversations of any length, written by the log itself, many events with one commit.

Of 40 events, 37 are messages of people and 3 an exchange with an assistant; so every row that the product keeps
is there, and true.
"""

import random
from collections.abc import Iterator
from concurrent.futures import Future
from uuid import UUID

from accounts.models import User
from accounts.services import users
from chatproject.lib.ids import new_id
from conversations import eventlog
from conversations.actors import Actor
from conversations.appends import Append, Committed, Decision, Draft
from conversations.services import conversations

ASSISTANT = Actor.assistant("guide")
CHATTER = 37
ROUND = CHATTER + 3
# Appends under way at most.
AHEAD = 20
WORDS = (
    *("the", "a", "of", "and", "to", "in", "is", "for", "that", "with", "again", "please", "thanks", "tomorrow"),
    *("invoice", "harbour", "ship", "oranges", "delivery", "Monday", "price", "question", "answer", "meeting"),
    *("plan", "budget", "number", "report", "late", "early", "sent", "customer", "order", "paid", "open", "closed"),
)

# Said three times at the beginning, and never again.
RARE = "The lighthouse of Marseille is out of order."


def somebody() -> User:
    return users.register(username=f"bench-{new_id().hex[-12:]}", password="correct horse battery 9")


def conversation(user: User, events: int) -> UUID:
    """A conversation of `user` with so many events."""
    id_ = conversations.create(user=user, title="Growth").result(30).conversation.id
    sayings, under_way = random.Random(events), list[Future[Committed]]()
    rare = [Draft("message:new", {"message": str(new_id()), "text": RARE, "action": "chat"}) for _ in range(3)]
    under_way.append(eventlog.submit(_append(id_, Actor.of(user), rare)))
    missing = events - 1 - len(rare)
    while missing > 0:
        for actor, drafts in _round(sayings, min(ROUND, missing), Actor.of(user)):
            under_way.append(eventlog.submit(_append(id_, actor, drafts)))
        missing -= ROUND
        while len(under_way) > AHEAD:
            under_way.pop(0).result(60)
    for future in under_way:
        future.result(60)
    return id_


def _append(conversation_id: UUID, actor: Actor, drafts: list[Draft]) -> Append:
    return Append(conversation_id, actor, str(new_id()), lambda _: Decision(drafts), drafts=drafts)


def _round(sayings: random.Random, events: int, person: Actor) -> Iterator[tuple[Actor, list[Draft]]]:
    """People talk, then one of them asks and is answered; where there is no room for that, they only talk."""
    if events < ROUND:
        yield person, [_message(sayings) for _ in range(events)]
        return
    ids = {"run": str(new_id()), "message": str(new_id())}
    asked = _message(sayings, run=ids["run"], assistant="guide")
    start = Draft("run:start", {**ids, "assistant": "guide", "reply_to": asked.data["message"]})
    end = Draft("run:end", {**ids, "status": "completed", "text": said(sayings, 80), "usage": None})
    yield person, [*(_message(sayings) for _ in range(CHATTER)), asked]
    yield ASSISTANT, [start, end]


def _message(sayings: random.Random, **more: str) -> Draft:
    text = said(sayings, sayings.randint(5, 40))
    return Draft("message:new", {"message": str(new_id()), "text": text, "action": "chat", **more})


def said(sayings: random.Random, words: int) -> str:
    return " ".join(sayings.choices(WORDS, k=words)).capitalize() + "."
