"""How many tokens a text has for a model."""

from collections.abc import Iterable, Mapping
from functools import cache

import tiktoken
from django.conf import settings

from conversations.context import encodings

# Models that tiktoken's table does not know (other makers' above all) are counted like OpenAI's present ones;
# so are those whose encoding has no file here, which are not chat models any more.
FALLBACK = "o200k_base"
# The same tokens, but for special ones, which texts have none of.
SAME = {"o200k_harmony": "o200k_base"}
# Code points that are counted in one go. tiktoken's regular expression gives up on a million spaces; a slice of
# this many takes at most 10 ms, whatever it holds. Longer texts are off by a token per cut at most.
SLICE = 32_768

# Format of a chat, after "How to count tokens with tiktoken" in OpenAI's cookbook (num_tokens_from_messages):
# 3 tokens per message and 1 for its role, and 3 that prime the answer.
PER_MESSAGE = 4
PRIMING = 3
# What stands between a text and each file that came with it.
PER_FILE = 2
# What a tool call has beside its name and arguments, together with its result: the ids and the wrapping of two
# messages. Providers do not publish it; this is on the safe side.
PER_TOOL_CALL = 24


def encoding_of(model: str) -> str:
    """The name of a model's encoding, by tiktoken's own table."""
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return FALLBACK
    name = SAME.get(name, name)
    return name if name in encodings.FILES else FALLBACK


@cache
def configured() -> tuple[str, ...]:
    """The encoding of the default model, and after it those of the models of other assistants."""
    models = [settings.CONTEXT_MODEL, *(context["model"] for context in _contexts() if "model" in context)]
    return tuple(dict.fromkeys(map(encoding_of, models)))


def _contexts() -> Iterable[Mapping[str, str]]:
    return settings.ASSISTANT_CONTEXTS.values()


def count(text: str, encoding: str) -> int:
    """The tokens of `text`. What looks like a special token is text."""
    encoder = encodings.get(encoding)
    return sum([len(encoder.encode_ordinary(piece)) for piece in _slices(text)])


def counts(*texts: str) -> dict[str, int]:
    """The tokens of `texts` in each configured encoding: what an event that carries texts says of them."""
    return {encoding: sum(count(text, encoding) for text in texts) for encoding in configured()}


def cut(text: str, encoding: str, limit: int, mark: str) -> str:
    """The beginning of `text`, with `mark` where something is missing, in at most `limit` tokens."""
    encoder = encodings.get(encoding)
    found: list[int] = []
    for piece in _slices(text):
        found += encoder.encode_ordinary(piece)
        if len(found) > limit:
            break
    if len(found) <= limit:
        return text
    for kept in range(limit - len(encoder.encode_ordinary(mark)), 0, -1):
        shorter = encoder.decode_bytes(found[:kept]).decode(errors="ignore") + mark
        if count(shorter, encoding) <= limit:
            return shorter
    return ""


def _slices(text: str) -> Iterable[str]:
    return [text] if len(text) <= SLICE else [text[at : at + SLICE] for at in range(0, len(text), SLICE)]
