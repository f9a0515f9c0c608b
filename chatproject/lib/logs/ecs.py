"""Log records in the words of the Elastic Common Schema"""

import logging
import os
import traceback
from datetime import UTC, datetime

from structlog.typing import EventDict, WrappedLogger

from chatproject.lib.addresses import shortened
from chatproject.lib.caller import about, caller
from chatproject.lib.clock import rfc3339

VERSION = "8.17"


def add_context(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """For whom, and about what, the work is done."""
    who = caller()
    found = {
        "http.request.id": who.request_id,
        "client.ip": shortened(who.address),
        "labels.session": who.session,
        **{f"labels.{name}": value for name, value in about().items()},
    }
    return {**event, **{name: value for name, value in found.items() if value}}


def add_extra(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """What is logged with `extra={"ecs": …}`."""
    return {**event, **getattr(event["_record"], "ecs", {})}


def add_record(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """When, where, and how grave."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog", None)
    known = {
        "@timestamp": rfc3339(datetime.fromtimestamp(record.created, UTC)),
        "log.level": record.levelname.lower(),
        "message": str(event.pop("event")),
        "ecs.version": VERSION,
        "service.name": "chat",
        "process.pid": os.getpid(),
        "process.thread.name": record.threadName,
        "log.logger": record.name,
    }
    return {**known, **event}


def add_error(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """What went wrong, and where; never with the values of local variables."""
    kind, error, trace = event.pop("exc_info", None) or (None, None, None)
    if kind is None:
        return event
    text = "".join(traceback.format_exception(kind, error, trace)).rstrip()
    return {**event, "error.type": kind.__name__, "error.stack_trace": text}


def plain(_logger: WrappedLogger, _name: str, event: EventDict) -> str:
    """One line for people, and the trace below it."""
    trace = event.get("error.stack_trace")
    named = {"session": "labels.session", "conversation": "labels.conversation", "run": "labels.run"}
    ids = " ".join(f"{name}={event[field]}" for name, field in named.items() if field in event)
    line = f"{event['@timestamp']} {event['log.level'].upper()} {event['log.logger']} {event['message']}"
    return "\n".join(part for part in (f"{line} {ids}".rstrip(), trace) if part)
