"""python: a class of ours or of a package; untrusted ones run in a process of their own (connectors/sandbox/)."""

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from chatproject.lib.errors import Problem
from conversations.assistants.base import Assistant, AssistantError
from conversations.connectors.kind import Json, Kind
from conversations.connectors.sandbox.parent import Sandboxed, Terms
from conversations.connectors.setup import Setup

SCHEMA: Json = {
    "required": ["path"],
    "properties": {
        "path": {"type": "string", "pattern": r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$", "maxLength": 200},
        "untrusted": {"type": "boolean"},
        "options": {"type": "object"},
        "process": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "cpu_seconds": {"type": "integer", "minimum": 1, "maximum": 3600},
                "memory_mb": {"type": "integer", "minimum": 64, "maximum": 65536},
                "file_mb": {"type": "integer", "minimum": 0, "maximum": 10240},
                "processes": {"type": "integer", "minimum": 0, "maximum": 1000},
            },
        },
    },
}


def build(setup: Setup) -> Assistant:
    """`path(**options)`; with `untrusted`, something that makes it elsewhere."""
    options = setup.config.get("options", {})
    if setup.config.get("untrusted"):
        return Sandboxed(setup.config["path"], options, Terms(**setup.config.get("process", {})))
    made: Assistant = import_string(setup.config["path"])(**options)
    return made


async def check(setup: Setup) -> str:
    """Whether it can be made. Raises AssistantError."""
    assistant = build(setup)
    if isinstance(assistant, Sandboxed):
        return await assistant.check()
    if not callable(getattr(assistant, "answer", None)):
        raise AssistantError("assistant_not_built", "It has no method `answer`.")
    return "It can be made."


def clean(name: str, config: Json) -> None:
    """Raises Problem `invalid` unless the operator allows the module (CONNECTOR_MODULES)."""
    path = config["path"]
    if not any(path.startswith(f"{module}.") for module in settings.CONNECTOR_MODULES):
        raise Problem("invalid", errors={"config": ["path: the operator allows its module in CONNECTOR_MODULES."]})


KIND = Kind("python", _("Python class"), SCHEMA, build, check, (), clean)
