"""Who did something over a connection lately: noted in groups, so that no frame waits for it."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from accounts.models import User


class Acting(Protocol):
    """A connection; `acted` is set by whatever its user does."""

    user: User | None
    acted: bool


def take(connections: Iterable[Acting]) -> set[UUID]:
    """The users who did something since they were asked for last."""
    acted = [one for one in connections if one.acted]
    for one in acted:
        one.acted = False
    return {one.user.id for one in acted if one.user}
