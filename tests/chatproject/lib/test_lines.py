"""Lines of bodies, wherever they are cut in pieces."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatproject.lib.lines import lines

TEXTS = st.text(st.sampled_from("ab é👋\n\r\u2028\u2029\x85\x0b\x0c\x1c"), max_size=40)


async def read(pieces: Sequence[bytes]) -> list[str]:
    async def given() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return [line async for line in lines(given())]


@given(TEXTS, st.lists(st.integers(0, 60), max_size=8))
def test_only_cr_and_lf_end_a_line(text: str, cuts: list[int]) -> None:
    body = text.encode()
    pieces = [body[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(body)])]
    whole = re.split("\r\n|\r|\n", text)
    assert asyncio.run(read(pieces)) == (whole if whole[-1] else whole[:-1])


async def test_what_is_no_text_is_replaced() -> None:
    assert await read([b"a\xff\n", b"\xf0\x9f"]) == ["a\ufffd", "\ufffd"]
