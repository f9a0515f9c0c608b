"""router, fanout, team: assistants that ask others (conversations/assistants/kinds.py), made at run time."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from conversations.assistants import kinds, registry
from conversations.assistants.base import Assistant
from conversations.connectors.kind import COMMON, Kind
from conversations.connectors.setup import Json, Setup


def _own(config: Mapping[str, Any]) -> Json:
    return {name: value for name, value in config.items() if name not in COMMON}


def _kind(name: str, title: Any) -> Kind:
    def build(setup: Setup) -> Assistant:
        return kinds.build(name, _own(setup.config))

    async def check(setup: Setup) -> str:
        clean(setup.name, setup.config)
        return f"It may ask {', '.join(sorted(kinds.asks(name, _own(setup.config))))}."

    def clean(connector: str, config: Json) -> None:
        """Raises Problem `invalid`: for a wrong configuration, for others that are not there or lead back here."""
        kinds.check(connector, name, _own(config), registry.asks)

    return Kind(name, title, {"additionalProperties": True}, build, check, (), clean)


ROUTER = _kind("router", _("Router"))
FANOUT = _kind("fanout", _("Fan-out"))
TEAM = _kind("team", _("Team"))
