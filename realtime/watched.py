"""What the hub looks after beside rooms: connections, of whatever kind."""

from typing import Any, Protocol
from uuid import UUID

from accounts.models import User
from realtime.tenure import Tenure


class Watched(Protocol):
    """A connection: looked at every second, and ended with the login by which it is held."""

    user: User | None
    tenure: Tenure | None
    session_id: UUID | None
    acted: bool

    def check(self) -> None: ...

    def send(self, frame: dict[str, Any]) -> None: ...

    def close(self, code: int) -> None: ...

    def drain(self, seconds: float) -> None: ...
