"""tiktoken's encodings without a network: their files come from the wheel `bpe-openai`.

They are unpacked into tiktoken's own cache directory, where it looks before it would download, and checks
their SHA-256.
"""

import gzip
import os
import tempfile
from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import tiktoken
from django.conf import settings

# Encoding -> the name of its file in tiktoken's cache: the SHA-1 of the address in tiktoken_ext/openai_public.py.
FILES = {
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
}

_loaded: dict[str, tiktoken.Encoding] = {}
_lock = Lock()


def get(name: str) -> tiktoken.Encoding:
    """One of FILES, loaded once per process (0.3 s, 70 MB for the larger). Raises OSError where TOKENIZER_DIR
    cannot be written."""
    found = _loaded.get(name)
    if found is None:
        with _lock:
            found = _loaded.get(name) or _load(name)
            _loaded[name] = found
    return found


def _load(name: str) -> tiktoken.Encoding:
    unpack(name, Path(settings.TOKENIZER_DIR))
    os.environ["TIKTOKEN_CACHE_DIR"] = str(settings.TOKENIZER_DIR)
    return tiktoken.get_encoding(name)


def unpack(name: str, folder: Path) -> Path:
    """Put the file of an encoding into `folder`, whole or not at all, also where several processes do; a
    damaged one is replaced."""
    content = gzip.decompress((_wheel() / f"{name}.tiktoken.gz").read_bytes())
    place = folder / FILES[name]
    if not place.exists() or place.read_bytes() != content:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{name}-", delete=False) as file:
            file.write(content)
        os.replace(file.name, place)
    return place


def _wheel() -> Path:
    """Where the wheel keeps its files. Found, not imported: its 70 MB library is of no use here."""
    spec = find_spec("bpe_openai")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package bpe-openai is not installed")
    return Path(spec.submodule_search_locations[0]) / "data"
