"""Conversations whose agent's account was switched off: they wait again, for somebody who can answer.

A pass may be killed at any moment: each conversation is one transaction, and what is left is found again.
"""

import logging

from django.db.models import Exists, OuterRef

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations.models import Conversation
from conversations.services import handoff

log = logging.getLogger(__name__)

# Conversations of one pass at most; the next pass goes on.
MOST = 1000


def mend() -> None:
    """The periodic job."""
    answering = User.objects.filter(id=OuterRef("agent"), is_active=True)
    left = Conversation.objects.filter(~Exists(answering), status=Conversation.Status.WITH_AGENT, erased_at=None)
    for row in left.order_by("id").only("id", "agent")[:MOST]:
        try:
            handoff.hand_back(conversation=row.id, agent=row.agent).result()
        except Problem as problem:
            log.warning("a conversation without its agent could not be handed back: %s", problem.code.name)
