"""Django's LOGGING: everything that any library logs goes the same way, through what takes secrets out."""

from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from chatproject.lib.logs import ecs
from chatproject.lib.logs.masking import clean

# Those that would write by themselves, beside us.
OWN_HANDLERS = ("django", "django.server", "uvicorn", "uvicorn.error", "uvicorn.access", "daphne", "procrastinate")
# At these levels they say what we do not want to keep: whole addresses, and every query.
QUIET = {
    "httpx": "WARNING",
    "httpx2": "WARNING",
    "httpcore": "WARNING",
    "openai": "WARNING",
    "procrastinate.blueprints": "WARNING",
    "procrastinate.jobs": "WARNING",
    "django.db.backends": "INFO",
    "asyncio": "INFO",
}


def configuration(*, form: str, level: str, access: bool) -> dict[str, Any]:
    """`form` is json or plain, `level` the least that is logged; `access` whether requests are, at INFO."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": structlog.stdlib.ProcessorFormatter, "processors": _processors(form)}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            **{name: {"handlers": [], "propagate": True} for name in OWN_HANDLERS},
            **{name: {"level": least} for name, least in QUIET.items()},
            "chatproject.access": {"level": "INFO" if access else "CRITICAL"},
        },
    }


def _processors(form: str) -> list[Any]:
    render = ecs.plain if form == "plain" else structlog.processors.JSONRenderer(ensure_ascii=False)
    return [
        ecs.add_error,
        ecs.add_extra,
        _without_secrets,
        ecs.add_context,
        ecs.add_record,
        render,
    ]


def _without_secrets(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    record = event.pop("_record")
    return {**clean(event), "_record": record}
