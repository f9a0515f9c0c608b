"""What a context is made for: the model, its budget, the strategy, the system prompt."""

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from chatproject.lib.errors import Problem
from conversations.connectors import directory
from conversations.context import base, tokens

# The least that a system prompt and a message can be cut to.
TOKENS_LEAST = 64
MODEL_MAX_LENGTH = 100


@dataclass(frozen=True)
class Terms:
    """`max_messages` counts messages of the conversation, not the system prompt. `picture_tokens` is what one
    picture takes; 0 where the model takes none. With a `speaker`, what other assistants said comes as said by others,
    with their names in front."""

    model: str
    strategy: str
    max_tokens: int
    max_messages: int
    system: str = ""
    picture_tokens: int = 0
    speaker: str = ""

    def as_speaker(self, name: str) -> "Terms":
        """The same, for one of several assistants who speak with each other."""
        return replace(self, speaker=name)

    @property
    def encoding(self) -> str:
        return tokens.encoding_of(self.model)


def for_assistant(assistant: str | None, **given: Any) -> Terms:
    """The terms of an assistant (ASSISTANT_CONTEXTS, or its connector's), with what was `given` instead, None meaning
    nothing.

    Raises Problem `invalid` for a strategy that there is not, or numbers out of range.
    """
    wanted = _configured(assistant or "") | {name: value for name, value in given.items() if value is not None}
    strategy = wanted.get("strategy", settings.CONTEXT_STRATEGY)
    if strategy not in base.names():
        raise Problem("invalid", errors={"strategy": [f"One of {', '.join(base.names())}."]})
    usual = base.get(strategy)
    return Terms(
        model=_model(wanted.get("model", settings.CONTEXT_MODEL)),
        strategy=strategy,
        max_tokens=_number("max_tokens", wanted.get("max_tokens", usual.tokens), TOKENS_LEAST, _most_tokens()),
        max_messages=_number("max_messages", wanted.get("max_messages", usual.messages), 1, _most_messages()),
        system=wanted.get("system", ""),
        picture_tokens=wanted.get("picture_tokens", 0),
    )


def _configured(assistant: str) -> dict[str, Any]:
    """What settings say of an assistant, or the configuration of a connector."""
    connector = directory.known().get(assistant)
    if assistant in settings.ASSISTANT_CONTEXTS or connector is None:
        return settings.ASSISTANT_CONTEXTS.get(assistant, {})
    own = {name: connector.config[name] for name in ("model", "system") if name in connector.config}
    return {**own, **connector.config.get("context", {})}


def _model(name: str) -> str:
    if not name or len(name) > MODEL_MAX_LENGTH or not name.isprintable():
        raise Problem("invalid", errors={"model": [f"A name of 1 to {MODEL_MAX_LENGTH} printable characters."]})
    return name


def _number(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise Problem("invalid", errors={name: [f"A whole number from {least} to {most}."]})
    return value


def _most_tokens() -> int:
    return settings.CONTEXT_TOKENS_MAX


def _most_messages() -> int:
    return settings.CONTEXT_MESSAGES_MAX
