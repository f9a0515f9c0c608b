"""What is measured on conversations of different lengths. To add one: a function of a Place, and a line below."""

import asyncio
from typing import Any

from django.db import connection

from chatproject.lib.ids import new_id
from conversations import selectors
from conversations.assistants import summarising
from conversations.context import building, terms
from conversations.models import Summary
from conversations.search import finding, query
from conversations.services import messages

# Events that a socket is sent when it joins without a cursor.
NEWEST = 100


def append(place: Any) -> None:
    """A message, from the verb to the acknowledgement."""
    cmid = str(new_id())
    messages.send(user=place.user, conversation=place.conversation, text="How late is it?", cmid=cmid).result(30)


def join(place: Any) -> None:
    """What a socket reads: role, head and running answers, members, shared state, the newest events."""
    selectors.role_of(place.user.id, place.conversation)
    _, head, _ = selectors.standing(place.conversation)
    selectors.members(place.conversation)
    selectors.room_state(place.conversation)
    selectors.events(place.conversation, max(0, head - NEWEST), NEWEST)


def newest_page(place: Any) -> None:
    selectors.messages(place.conversation, before_seq=None, after_seq=None, limit=50)


def window(place: Any) -> None:
    building.build(place.conversation, terms.for_assistant(None, strategy="window"))


def recent(place: Any) -> None:
    building.build(place.conversation, terms.for_assistant(None, strategy="recent"))


def summary(place: Any) -> None:
    building.build(place.conversation, terms.for_assistant(None, strategy="summary"))


def rare_words(place: Any) -> None:
    """What was said three times, long ago."""
    assert len(_found(place, "lighthouse marseille")) == 3


def common_words(place: Any) -> None:
    """What every tenth message has; so there is more to be ranked, up to SEARCH_CANDIDATES."""
    assert _found(place, "invoice oranges")


def _found(place: Any, words: str) -> list[finding.Hit]:
    return finding.search(place.user, query.parse(words), conversation=place.conversation)


def snapshot(place: Any) -> None:
    """The state that a client is sent who was away for too long; larger, where there is more to be sent."""
    selectors.snapshot(place.conversation)


def prepare(place: Any) -> None:
    """What the background has done long since: statistics for the planner, summaries of everything."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    before = -1
    while before != (before := Summary.objects.filter(conversation=place.conversation).count()):
        asyncio.run(summarising.summarise(place.conversation))


# Name, what is measured, and whether it may take no longer than LIMIT times as long.
MEASUREMENTS = (
    ("append", append, True),
    ("join", join, True),
    ("newest page", newest_page, True),
    ("context: window", window, True),
    ("context: recent", recent, True),
    ("context: summary", summary, True),
    ("search: rare words", rare_words, True),
    ("search: common words", common_words, False),
    ("snapshot of the newest", snapshot, False),
)
