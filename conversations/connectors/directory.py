"""The connectors that are enabled, as this process knows them: looked up every second, so that no change takes a
restart, and asking costs nothing."""

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connections

from conversations.connectors import sealing
from conversations.connectors.setup import Setup
from conversations.models import Connector

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# Seconds that the first look may take, for which whoever asks first waits.
FIRST_SECONDS = 5.0


@dataclass(frozen=True)
class Known:
    """A connector without its secrets."""

    name: str
    kind: str
    version: int
    description: str
    config: Mapping[str, Any]


# Called with the names of connectors that came, went or changed, in the thread that noticed.
LISTENERS: list[Callable[[frozenset[str]], None]] = []

_start = threading.Lock()
_over = threading.Event()
_looking = ThreadPoolExecutor(1, thread_name_prefix="connectors")
_known: dict[str, Known] | None = None
_thread: threading.Thread | None = None


def known() -> Mapping[str, Known]:
    """The enabled connectors by name, as of the last second. Never a query, but for the first time."""
    if _thread is None:
        _begin()
    return _known or {}


def setup_of(name: str) -> Setup | None:
    """An enabled connector as it is at this moment, with its secrets: a query. Raises CryptoError."""
    row = Connector.objects.filter(name=name, enabled=True).first()
    return setup(row) if row else None


def setup(row: Connector) -> Setup:
    """A row with its secrets in clear. Raises CryptoError."""
    secrets = sealing.unseal(row.secrets, row.id)
    return Setup(row.id, row.name, row.kind, row.version, row.description, row.config, secrets)


def look() -> None:
    """Learn what there is now; whoever listens is told what is different."""
    global _known
    fields = ("name", "kind", "version", "description", "config")
    rows = Connector.objects.filter(enabled=True).values_list(*fields)
    before, _known = _known, {row[0]: Known(*row) for row in rows}
    if before is not None and before != _known:
        _tell(frozenset(name for name in before.keys() | _known.keys() if before.get(name) != _known.get(name)))


def end() -> None:
    """Look no more: the database goes away, and this process with it."""
    _over.set()
    if _thread:
        _thread.join()


def _tell(names: frozenset[str]) -> None:
    for listener in LISTENERS:
        try:
            listener(names)
        except Exception:
            log.exception("a change of connectors could not be told")


def _begin() -> None:
    """Look once, in a thread because this one may run an event loop, and from then on every second."""
    global _thread
    with _start:
        if _thread is None:
            _looking.submit(_look_safely).result(FIRST_SECONDS)
            _thread = threading.Thread(target=_run, name="connectors", daemon=True)
            _thread.start()


def _run() -> None:
    while not _over.wait(LOOK_SECONDS):
        _look_safely()


def _look_safely() -> None:
    try:
        look()
    except Exception as error:
        log.warning("connectors could not be looked up, which is tried again: %s", type(error).__name__)
    finally:
        connections.close_all()
