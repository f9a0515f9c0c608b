"""openai: a model behind an API that speaks OpenAI's Chat Completions."""

from collections.abc import Sequence

import openai
from django.utils.translation import gettext_lazy as _
from openai import AsyncOpenAI, Timeout

from chatproject.lib import outgoing
from conversations.assistants.base import Assistant, AssistantError, Tool
from conversations.assistants.builtin.openai import OpenAIAssistant
from conversations.assistants.isolation import limits
from conversations.connectors import toolboxes
from conversations.connectors.kind import Json, Kind
from conversations.connectors.setup import Setup

# Bytes of one streamed answer, events and all.
ANSWER_MAX_BYTES = 64 * 1024 * 1024
PRICE: Json = {"type": "number", "minimum": 0}
SCHEMA: Json = {
    "required": ["base_url", "model"],
    "properties": {
        "base_url": {"type": "string", "maxLength": 500},
        "model": {"type": "string", "minLength": 1, "maxLength": 100},
        "system": {"type": "string", "maxLength": 20000},
        "recall": {"type": "integer", "minimum": 0, "maximum": 50},
        "tools": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 130}},
        "prices": {
            "type": "object",
            "additionalProperties": False,
            "required": ["input", "output"],
            "properties": {
                **dict.fromkeys(("input", "cached", "output"), PRICE),
                "currency": {"type": "string", "minLength": 1, "maxLength": 8},
            },
        },
    },
}


def build(setup: Setup) -> Assistant:
    """The assistant `openai`, with its own address, key and tools."""

    async def toolbox() -> Sequence[Tool]:
        return await toolboxes.among(setup.config.get("tools", ()))

    return OpenAIAssistant(_client(setup), toolbox, setup.config.get("recall", 0))


def clean(name: str, config: Json) -> None:
    """Raises Problem `invalid`."""
    outgoing.check_address(config["base_url"], "config")
    toolboxes.check(config.get("tools", ()))


async def check(setup: Setup) -> str:
    """Whether the address answers and takes the key. Raises AssistantError."""
    try:
        async with _client(setup) as client:
            models = [model.id async for model in client.models.list()]
    except openai.AuthenticationError as error:
        raise AssistantError("provider_refused", "The provider refused the key.") from error
    except openai.APIStatusError as error:
        if error.status_code == 404:
            return "It answers; it has no list of models."
        raise AssistantError("provider_error", f"The provider answered with status {error.status_code}.") from error
    except openai.APIError as error:
        raise AssistantError("provider_unreachable", "The provider cannot be reached.") from error
    await toolboxes.among(setup.config.get("tools", ()))
    offered = setup.config["model"] in models
    return f"{len(models)} models; {setup.config['model']} is {'' if offered else 'not '}among them."


def _client(setup: Setup) -> AsyncOpenAI:
    """With connections that never reach our own networks, unless the operator allows the host."""
    bounds = limits.of(setup.config.get("limits", {}))
    http = outgoing.async_client(seconds=bounds.total_seconds or 24 * 3600, max_bytes=ANSWER_MAX_BYTES)
    return AsyncOpenAI(
        api_key=setup.secret("api_key") or "none",
        base_url=setup.config["base_url"],
        max_retries=0,
        timeout=Timeout(bounds.stall_seconds, connect=bounds.connect_seconds),
        http_client=http,
    )


KIND = Kind("openai", _("OpenAI-compatible model"), SCHEMA, build, check, ("api_key",), clean)
