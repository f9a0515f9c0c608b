"""Who answers in a conversation, as its page says it, and what the reader may do about it."""

from dataclasses import dataclass

from accounts.models import User
from accounts.services import users
from conversations.models import Conversation
from conversations.pages import Heading
from conversations.permissions import Permission


@dataclass(frozen=True)
class Standing:
    """`agent` is the name of the user who answers, where somebody does; `mine` where it is the reader."""

    status: str
    agent: str
    mine: bool
    may_ask: bool
    may_claim: bool
    may_release: bool


def of(user: User, heading: Heading) -> Standing:
    """Of a conversation that `user` may read."""
    status, mine = Conversation.Status, heading.agent == user.id
    by_people = heading.status in Conversation.HUMAN
    speaks = Permission.SEND in heading.may
    return Standing(
        status=heading.status,
        agent=users.display_names([heading.agent]).get(heading.agent, "?") if heading.agent else "",
        mine=mine,
        may_ask=speaks and (heading.status == status.OPEN or mine),
        may_claim=Permission.CLAIM in heading.may and heading.status in (status.OPEN, status.WAITING),
        may_release=by_people and speaks and (heading.agent is None or mine or Permission.CHANGE in heading.may),
    )
