"""Which addresses of the internet a request to somebody else's host may go to: none of our own networks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

# The Internet's own part of IPv6, and what of it is not: protocols (Teredo, ORCHID), documentation, 6to4, which
# carries an IPv4 address. What lies outside of it is local, or carries one too (mapped, compatible, NAT64).
_GLOBAL_V6 = IPv6Network("2000::/3")
_NOT_GLOBAL_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# What Python takes for global although it is not for everybody: relays, and a cloud's own services.
_NOT_GLOBAL_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))


def is_public(address: str) -> bool:
    """Whether `address` (of either family, as text, without a zone) is somebody's on the Internet."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return parsed.is_global and not parsed.is_multicast and not any(parsed in one for one in _NOT_GLOBAL_V4)
    return parsed in _GLOBAL_V6 and not any(parsed in one for one in _NOT_GLOBAL_V6)
