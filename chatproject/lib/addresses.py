"""Where a request comes from: the peer, or what the proxies in front of us say of it (NUM_PROXIES)."""

from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
# Whoever has an address of IPv6 has at least as many as there are in such a network.
IPV6_NETWORK = 64


def client_address(peer: str, headers: Mapping[str, str]) -> str:
    """The client's address: `peer`, or the NUM_PROXIES-th last entry of X-Forwarded-For; what clients add in front of
    it counts for nothing. Empty where there is none, as with a Unix socket."""
    proxies = settings.NUM_PROXIES
    told = headers.get("x-forwarded-for", "") if proxies else ""
    entries = [entry.strip() for entry in told.split(",") if entry.strip()]
    given = entries[-min(proxies, len(entries))] if entries else peer
    found = _parsed(given) or _parsed(peer)
    return str(found) if found else ""


def counted_address(address: str) -> str:
    """What limits count for `address`: it alone, of IPv6 its whole network."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, IPV6_NETWORK), strict=False))
    return address


def shortened(address: str) -> str:
    """For logs: the last octet becomes 0, of IPv6 the last 80 bits."""
    found = _parsed(address)
    if found is None:
        return ""
    length = 24 if isinstance(found, IPv4Address) else 48
    return str(ip_network((found, length), strict=False).network_address)


def _parsed(text: str) -> Address | None:
    """The address in `text`, of which some proxies give the port too; IPv4 in IPv6 is IPv4."""
    host = text.partition("]")[0].lstrip("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    with suppress(ValueError):
        found = ip_address(host)
        return getattr(found, "ipv4_mapped", None) or found
    return None
