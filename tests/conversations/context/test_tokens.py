"""Counting tokens: the model's own encoding, without a network, whatever the text is."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from conversations.context import encodings, tokens
from conversations.models import Message
from conversations.services import messages
from tests.conversations.support import at_once, frames, replayed

MARK = " […]"


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o-mini", "o200k_base"),
        ("gpt-4o", "o200k_base"),
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-0613", "cl100k_base"),
        ("gpt-oss-20b", "o200k_base"),
        ("text-davinci-003", "o200k_base"),
        ("llama3.2", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_the_encoding_of_a_model(model: str, encoding: str) -> None:
    assert tokens.encoding_of(model) == encoding


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("antidisestablishmentarianism", 6, 6),
        ("お誕生日おめでとう", 8, 9),
        ("2 + 2 = 4", 7, 7),
    ],
)
def test_known_numbers(text: str, o200k: int, cl100k: int) -> None:
    """Those of OpenAI's cookbook, "How to count tokens with tiktoken"."""
    assert (tokens.count(text, "o200k_base"), tokens.count(text, "cl100k_base")) == (o200k, cl100k)


def test_what_looks_like_a_special_token_is_text() -> None:
    assert tokens.count("<|endoftext|>", "o200k_base") == 7


@pytest.mark.parametrize(
    "text", ["a" * 300_000, " " * 1_000_000, "\t " * 200_000, "世" * 32_000, "👩‍👩‍👧" * 10_000, "\n" * 99_999]
)
def test_no_text_is_too_strange(text: str) -> None:
    """A million spaces make tiktoken itself panic."""
    assert 0 < tokens.count(text, "o200k_base") <= len(text.encode())


@given(st.text(max_size=300), st.integers(8, 60))
def test_what_is_cut_fits_and_begins_the_same(text: str, limit: int) -> None:
    cut = tokens.cut(text, "o200k_base", limit, MARK)
    assert tokens.count(cut, "o200k_base") <= limit
    if tokens.count(text, "o200k_base") <= limit:
        assert cut == text
    else:
        assert cut.endswith(MARK)
        assert text.startswith(cut.removesuffix(MARK))


def test_nothing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own that may open no connection counts all the same."""
    program = (
        "import socket; socket.socket.connect = None; socket.getaddrinfo = None\n"
        "from django.conf import settings\n"
        f"settings.configure(TOKENIZER_DIR={str(tmp_path)!r})\n"
        "from conversations.context import encodings\n"
        "print([len(encodings.get(name).encode('hello world')) for name in encodings.FILES])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[2, 2]"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(encodings.FILES.values())


def test_several_may_unpack_at_the_same_time(tmp_path: Path) -> None:
    """Whoever looks finds nothing or a whole file, and nothing else is left behind."""
    folder = tmp_path / "new" / "folder"
    sizes = at_once(8, lambda _: encodings.unpack("cl100k_base", folder).stat().st_size)
    assert len(set(sizes)) == 1
    assert [path.name for path in folder.iterdir()] == [encodings.FILES["cl100k_base"]]


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    place = tmp_path / encodings.FILES["cl100k_base"]
    place.write_bytes(b"half of")
    assert encodings.unpack("cl100k_base", tmp_path) == place
    assert place.stat().st_size > 1_000_000


def test_an_event_says_how_long_its_text_is(alice: User, conversation: UUID) -> None:
    sent = messages.send(user=alice, conversation=conversation, text="hello world", cmid="1").result(30)
    assert sent.main["data"]["tokens"] == {"o200k_base": 2}
    assert frames(conversation)[-1]["data"]["tokens"] == {"o200k_base": 2}
    assert Message.objects.get(id=sent.main["data"]["message"]).tokens == {"o200k_base": 2}
    replayed(conversation)
