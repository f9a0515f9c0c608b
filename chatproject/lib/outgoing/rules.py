"""Where requests to addresses that people give may go: schemes, ports, hosts, and what hosts resolve to."""

import re
import socket
from collections.abc import Callable, Iterable

import httpx2 as httpx
from django.conf import settings

from chatproject.lib.errors import Problem
from chatproject.lib.outgoing.addresses import is_public

# A name, or an address of either family.
HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
DEFAULT_PORTS = {"http": 80, "https": 443}
# All addresses of a host and port, as text. Raises OSError where there are none.
Resolve = Callable[[str, int], list[str]]


class Refused(httpx.TransportError):
    """This request is not made. Its text may be shown: it does not say what a host resolves to."""


def resolve(host: str, port: int) -> list[str]:
    """The system's resolver, in the order that it recommends."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def refuse_unless_allowed(url: httpx.URL) -> None:
    """Scheme, port and form of an address. Raises Refused."""
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    if port is None or not HOST.fullmatch(url.raw_host.decode("latin-1").lower()):
        raise Refused("An address begins with http:// or https:// and names a host.")
    if url.userinfo:
        raise Refused("An address must not hold a name or password.")
    if is_trusted(url.host, port):
        return
    if url.scheme not in settings.OUTGOING_SCHEMES:
        raise Refused(f"An address must begin with {' or '.join(f'{one}://' for one in settings.OUTGOING_SCHEMES)}.")
    if str(port) not in settings.OUTGOING_PORTS:
        raise Refused(f"Port {port} is not allowed.")


def is_trusted(host: str, port: int) -> bool:
    """Whether the operator named this host in OUTGOING_ALLOWED_HOSTS, as `host` or `host:port`."""
    name = host.lower()
    bracketed = f"[{name}]" if ":" in name else name
    return bool({name, bracketed, f"{bracketed}:{port}"} & {one.lower() for one in settings.OUTGOING_ALLOWED_HOSTS})


def permitted(host: str, port: int, addresses: Iterable[str]) -> list[str]:
    """`addresses` of `host`, at least one, to be connected to as they are. Raises Refused where one of them is not
    public: a host with both kinds is made to get past this."""
    found = list(addresses)
    if not found:
        raise Refused("This host has no address.")
    if not is_trusted(host, port) and not all(map(is_public, found)):
        raise Refused("This host is not on the Internet.")
    return found


def check_address(text: str, field: str = "url") -> str:
    """An address that somebody gives to be kept, normalised. Raises Problem `invalid` where no request would ever be
    made to it; what its host resolves to is looked at when one is."""
    try:
        url = httpx.URL(text)
        refuse_unless_allowed(url)
        if is_literal(url.host):
            permitted(url.host, url.port or DEFAULT_PORTS[url.scheme], [url.host])
    except (httpx.InvalidURL, Refused) as error:
        reason = str(error) if isinstance(error, Refused) else "This is not an address."
        raise Problem("invalid", errors={field: [reason]}) from error
    return str(url)


def is_literal(host: str) -> bool:
    """Whether a host is an IP address in its usual form."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return True
    return False
