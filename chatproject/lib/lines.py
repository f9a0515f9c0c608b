"""The lines of a body that comes in pieces."""

import codecs
import io
from collections.abc import AsyncIterable, AsyncIterator


async def lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Lines of UTF-8 without their ends, which are CR, LF or both, as in event streams (html.spec.whatwg.org, 9.2.6).

    httpx's `aiter_lines` also takes U+2028 and the like for ends, which models and people write within JSON.
    """
    begun: list[str] = []
    async for text in _texts(pieces):
        first, *more = text.split("\n")
        begun.append(first)
        for line in more:
            yield "".join(begun)
            begun = [line]
    if last := "".join(begun):
        yield last


async def _texts(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    async for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)
