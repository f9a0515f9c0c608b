"""Where a login comes from, as far as it is kept: enough for people to know it again, and no more."""

from dataclasses import dataclass

from django.http import HttpRequest

from chatproject.lib.addresses import shortened
from chatproject.lib.caller import caller

USER_AGENT_LENGTH = 200


@dataclass(frozen=True)
class Origin:
    """The program that asks, and a shortened address; both empty where they are not known."""

    user_agent: str = ""
    address: str = ""


def origin_of(request: HttpRequest) -> Origin:
    """Where a request comes from."""
    agent = request.META.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH].replace("\0", "")
    return Origin(agent, shortened(caller().address))
