"""Examples are what they claim to be, and the quick starts work word for word."""

import ast
import configparser
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import BASE, PAGES, code, name_of, section
from tests.serving import Serve, data_dir

BODY = re.compile(r"-d '(\{.*?\})'", re.DOTALL)


@pytest.fixture(scope="module")
def product() -> Iterator[Serve]:
    with data_dir() as folder, Serve(folder) as serve:
        yield serve


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_parse(page: Path) -> None:
    source = page.read_text()
    for block in code(source, "json"):
        json.loads(block)
    for block in code(source, "python"):
        ast.parse(block)
    for block in code(source, "yaml"):
        yaml.safe_load(block)
    for block in code(source, "ini"):
        configparser.ConfigParser(strict=False).read_string(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_shell_examples_parse_and_post_json(page: Path) -> None:
    for block in code(page.read_text(), "sh"):
        runnable = re.sub(r"<[a-z ]+>", "something", block)
        subprocess.run(["bash", "-n"], input=runnable, text=True, check=True)
        for body in BODY.findall(block):
            json.loads(body)


@pytest.mark.parametrize(
    ("page", "heading", "expected"),
    [
        ("README.md", "The API in one minute", "docs/deployment.md#backups"),
        ("docs/http-api.md", "Quick start with curl", '"status":"completed"'),
    ],
)
def test_quick_starts_work_word_for_word(product: Serve, page: str, heading: str, expected: str) -> None:
    [script] = code(section((BASE / page).read_text(), heading), "sh")
    here = script.replace("http://127.0.0.1:8000/", product.url)
    assert here != script
    done = subprocess.run(
        ["bash", "-euo", "pipefail"], input=here, capture_output=True, text=True, timeout=60, check=True
    )
    assert expected in done.stdout


def test_the_assistant_of_the_page_answers() -> None:
    """The class that docs/assistants.md shows is one: it has a description and a coroutine `answer`."""
    block = next(block for block in code((BASE / "docs/assistants.md").read_text(), "python") if "class Echo" in block)
    names: dict[str, Any] = {}
    exec(compile(block, "docs/assistants.md", "exec"), names)
    assert names["Echo"].__doc__ == "Repeats what it is told."
    assert callable(names["Echo"]().answer)
