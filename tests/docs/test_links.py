"""Links lead somewhere; nothing of the machine that the docs were written on is in them."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import BASE, PAGES, anchors, code, headings, links, name_of

# Where examples may point to: ourselves, names that are reserved for examples, and standards.
HOSTS = {"127.0.0.1", "localhost", "example.com", "keepachangelog.com", "host"}
WRITTEN_ON = re.compile(r"/(?:tmp/v|work|home/\w+|root)/|(?:pypi|registry|mirror|artifactory)\.(?!py\b)\w+")
MAKE = re.compile(r"\bmake ([a-z]+)\b")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page.read_text()):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.exists(), link
        assert target.is_relative_to(BASE), link
        assert not parts.fragment or unquote(parts.fragment) in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_anchors_are_unambiguous(page: Path) -> None:
    found = headings(page.read_text())
    assert len(found) == len(set(found))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_address_of_another_machine(page: Path) -> None:
    source = page.read_text()
    assert WRITTEN_ON.search(source) is None
    for address in re.findall(r"\b(?:https?|postgresql|rediss?)://[^\s`'\")…]+", source):
        host = (urlsplit(address).hostname or "").removeprefix("[").rpartition("@")[2]
        assert not host or ".".join(host.split(".")[-2:]) in HOSTS or host in HOSTS, address


def test_every_make_target_that_is_named_exists_and_the_other_way_round() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (BASE / "Makefile").read_text(), re.MULTILINE))
    shell = "\n".join(block for page in PAGES for block in code(page.read_text(), "sh"))
    quoted = "\n".join(re.findall(r"`([^`\n]+)`", "\n".join(page.read_text() for page in PAGES)))
    assert set(MAKE.findall(shell) + MAKE.findall(quoted)) == targets
