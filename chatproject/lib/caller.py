"""Who calls, for the audit trail, limits and logs: known to whatever is done for them, without being passed on."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chatproject.lib.ids import new_id


@dataclass(frozen=True)
class Caller:
    """Behind a request or a socket. Both are empty where nobody outside asked for what is done."""

    request_id: str = ""
    address: str = ""


NOBODY = Caller()
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def caller() -> Caller:
    return _caller.get()


@contextmanager
def called_by(found: Caller) -> Iterator[None]:
    """What is done inside is done for them."""
    token = _caller.set(found)
    try:
        yield
    finally:
        _caller.reset(token)


def calling(address: str, request_id: str = "") -> Caller:
    """Somebody at `address`; without a request id they get one."""
    return Caller(request_id or str(new_id()), address)
