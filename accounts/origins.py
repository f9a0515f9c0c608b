"""Where a login comes from, as far as it is kept: enough for people to know it again, and no more."""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.http import HttpRequest

# Bits of an address that are kept.
KEPT = {4: 24, 6: 48}
USER_AGENT_LENGTH = 200


@dataclass(frozen=True)
class Origin:
    """The program that asks, and a shortened address; both empty where they are not known."""

    user_agent: str = ""
    address: str = ""


def origin_of(request: HttpRequest) -> Origin:
    """Where a request comes from."""
    agent = request.META.get("HTTP_USER_AGENT", "")[:USER_AGENT_LENGTH].replace("\0", "")
    return Origin(agent, shortened(request.META.get("REMOTE_ADDR", "")))


def shortened(address: str) -> str:
    """An address without its last octet (IPv6: without all but its first 48 bits); empty where it is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((found, KEPT[found.version]), strict=False).network_address)
