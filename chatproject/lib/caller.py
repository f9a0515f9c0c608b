"""Who calls, and about what, for the audit trail, limits and logs: known to whatever is done, not passed on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

from chatproject.lib.ids import new_id


@dataclass
class Caller:
    """Behind a request or a socket. All is empty where nobody outside asked for what is done; `session` is known
    once a socket is welcomed."""

    request_id: str = ""
    address: str = ""
    session: str = ""


NOBODY = Caller()
NOTHING: Mapping[str, str] = MappingProxyType({})
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=NOTHING)


def caller() -> Caller:
    return _caller.get()


@contextmanager
def called_by(found: Caller) -> Iterator[None]:
    """What is done inside is done for them."""
    who, what = _caller.set(found), _about.set(NOTHING)
    try:
        yield
    finally:
        _caller.reset(who)
        _about.reset(what)


def calling(address: str, request_id: str = "") -> Caller:
    """Somebody at `address`; without a request id they get one."""
    return Caller(request_id or str(new_id()), address)


def about() -> Mapping[str, str]:
    """Ids of what the work in hand is about: conversation, run, job."""
    return _about.get()


def note(**ids: object) -> None:
    """From here on, in this task or thread, the work is about these; those that are None are not known."""
    _about.set({name: str(value) for name, value in ids.items() if value is not None})
