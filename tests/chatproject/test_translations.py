"""Every text has its Simplified Chinese, and the compiled catalogue is the one of the source."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(settings.BASE_DIR)
FOLDER = ROOT / "chatproject" / "locale" / "zh_Hans" / "LC_MESSAGES"
OURS = ("accounts", "chatproject", "conversations", "realtime", "templates")
KEYWORDS = {**dict.fromkeys(DEFAULT_KEYWORDS), "gettext_lazy": None, "ngettext_lazy": None, "gettext_noop": None}
PLACE = re.compile(r"%\(\w+\)[.0-9]*[sdf]|\{\w*\}")

Id = str | tuple[str, ...] | list[str]


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale="zh_CN")


def texts_in_use() -> Iterator[tuple[str, Path]]:
    for app in OURS:
        for path in sorted((ROOT / app).rglob("*")):
            if path.suffix in (".py", ".html"):
                yield from ((text, path) for text in _texts(path))


def _texts(path: Path) -> Iterator[str]:
    """The literal texts; what is translated by a variable stands as a literal somewhere else."""
    source = path.read_text()
    if path.suffix == ".html":
        source = "\n".join(line.strip() for line in templatize(source).splitlines())
    for found_at in extract_python(BytesIO(source.encode()), KEYWORDS, (), {}):
        found: Any = found_at[2]
        text = found[0] if isinstance(found, tuple) else found
        if text:
            yield str(text)


def test_every_text_in_use_is_in_the_catalogue(chinese: Catalog) -> None:
    known = {_first(entry.id) for entry in chinese}
    missing = {(text, path.name) for text, path in texts_in_use() if text not in known}
    assert not missing, "`manage.py makemessages -l zh_Hans --no-location --no-obsolete`, then translate"


def test_every_text_is_translated(chinese: Catalog) -> None:
    untranslated = [entry.id for entry in chinese if entry.id and (entry.fuzzy or not all(_strings(entry.string)))]
    assert not untranslated


def test_translations_keep_the_places_that_are_filled_in(chinese: Catalog) -> None:
    for entry in chinese:
        if entry.id:
            for text in _strings(entry.string):
                assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(_first(entry.id))), entry.id


def test_the_compiled_catalogue_is_current(chinese: Catalog) -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = read_mo(file)
    written = {_first(entry.id): _strings(entry.string) for entry in chinese if entry.id}
    assert {_first(entry.id): _strings(entry.string) for entry in compiled if entry.id} == written, (
        "`manage.py compilemessages`"
    )


def _first(text: Id) -> str:
    return text if isinstance(text, str) else text[0]


def _strings(text: Id | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or [""])
