"""What is limited: a name, the setting that says how often, within which time, and for whom."""

from dataclasses import dataclass
from threading import Lock

from django.conf import settings

from chatproject.lib.limits.windows import Windows

# What one process lets through before it tells the others: such a part of the limit.
SHARE = 20


class Limit:
    """`setting` names how often within `seconds`; 0 = as often as wanted.

    An `exact` one is counted by all processes together at every single time, which takes a round trip to Redis: for
    what is rare and worth guarding. The others are counted here, and settled with Redis now and then.
    """

    def __init__(self, name: str, setting: str, seconds: int, *, exact: bool = False) -> None:
        self.name, self.setting, self.seconds, self.exact = name, setting, seconds, exact
        self.windows = Windows(seconds)
        self.lock = Lock()

    @property
    def amount(self) -> int:
        """How often; 0 where there is no limit."""
        return int(getattr(settings, self.setting)) if settings.LIMITS_APPLY else 0


@dataclass(frozen=True)
class Standing:
    """How somebody stands: of `amount` within `seconds`, so many are `left`; one more is, in `reset` seconds."""

    name: str
    amount: int
    seconds: int
    left: int
    reset: float


MINUTE, HOUR = 60, 3600
LIMITS: dict[str, Limit] = {
    limit.name: limit
    for limit in (
        Limit("login", "LIMIT_LOGIN", MINUTE, exact=True),
        Limit("login_user", "LIMIT_LOGIN_USER", MINUTE, exact=True),
        Limit("login_address", "LIMIT_LOGIN_ADDRESS", MINUTE, exact=True),
        Limit("register", "LIMIT_REGISTER", HOUR, exact=True),
        Limit("token", "LIMIT_TOKEN", MINUTE),
        Limit("ticket", "LIMIT_TICKET", MINUTE, exact=True),
        Limit("share", "LIMIT_SHARE", MINUTE, exact=True),
        Limit("export", "LIMIT_EXPORT", MINUTE, exact=True),
        Limit("upload", "LIMIT_UPLOAD", MINUTE, exact=True),
        Limit("hello", "LIMIT_HELLO", MINUTE),
        Limit("send", "LIMIT_SEND", MINUTE),
        Limit("conversation", "LIMIT_CONVERSATION", MINUTE),
        Limit("fetch", "LIMIT_FETCH", MINUTE),
        Limit("change", "LIMIT_CHANGE", MINUTE),
        Limit("run", "LIMIT_RUN", MINUTE),
        Limit("assistant_calls", "LIMIT_ASSISTANT_CALLS", 1),
    )
}
