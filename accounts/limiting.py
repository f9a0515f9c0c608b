"""Limits of those who are not known yet, by where they come from (docs/limits.md)."""

from collections.abc import Mapping
from hashlib import sha256

from django.http import HttpResponseBase

from chatproject.lib.addresses import counted_address
from chatproject.lib.caller import caller
from chatproject.lib.limits import Standing, take

READING = ("GET", "HEAD", "OPTIONS")


def counts_for(method: str, limits: Mapping[str, str]) -> str:
    """The limit of a route: that of `limits`; without an entry, reading counts for `fetch`, all else for `change`."""
    return limits.get(method) or ("fetch" if method in READING else "change")


def take_login(name: str) -> Standing | None:
    """Count a log-in by password with the user name (or e-mail address) `name`. Raises RateLimited."""
    address = counted_address(caller().address)
    standing = take("login_address", address)
    if not name.strip():
        return standing  # will be refused, and is nobody
    who = sha256(name.strip().casefold().encode()).hexdigest()
    take("login_user", who)
    return take("login", f"{who} {address}")


def take_from_here(name: str) -> Standing | None:
    """Count one more of `name` for the caller's address. Raises RateLimited."""
    return take(name, counted_address(caller().address))


def tell(standing: Standing, response: HttpResponseBase) -> None:
    """How somebody stands, in the words of both drafts of the IETF for it."""
    reset = -int(-standing.reset // 1)
    response["RateLimit-Policy"] = f'"{standing.name}";q={standing.amount};w={standing.seconds}'
    response["RateLimit"] = f'"{standing.name}";r={standing.left};t={reset}'
    response["RateLimit-Limit"] = str(standing.amount)
    response["RateLimit-Remaining"] = str(standing.left)
    response["RateLimit-Reset"] = str(reset)
