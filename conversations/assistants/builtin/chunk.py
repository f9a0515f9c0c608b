"""What is read of a chunk of a streamed answer, in the form of Chat Completions
(platform.openai.com/docs/api-reference/chat-streaming); providers may send more, and null for what they do not send."""

from collections.abc import Sequence

import msgspec


class Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A piece of a call of a tool; the pieces of one have the same index."""

    index: int
    id: str | None = None
    function: Function | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: Sequence[Call] | None = None


class Choice(msgspec.Struct):
    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class Chunk(msgspec.Struct):
    choices: Sequence[Choice] | None = None
    usage: Usage | None = None
