"""What fits is as much as can be, and never more."""

from hypothesis import given
from hypothesis import strategies as st

from conversations.assistants.lengths import fitting, size_as_json


@given(st.text(st.sampled_from('a"\n\u0001漢👋'), max_size=60), st.integers(0, 200))
def test_as_much_as_fits(text: str, size: int) -> None:
    taken = fitting(text, size)
    assert text.startswith(taken)
    assert size_as_json(taken) <= size
    assert taken == text or size_as_json(text[: len(taken) + 1]) > size
