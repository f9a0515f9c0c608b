"""The secrets that are made at the first start: 0600 files in DATA_DIR/secrets."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from chatproject.embedded.errors import StartError
from chatproject.embedded.layout import Layout, check_private, make_private


def encryption_keys() -> str:
    """Return an encryption key, `<key id>:<base64 of 32 bytes>`; the first line is the primary."""
    return f"k{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


MAKERS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "encryption_keys": encryption_keys,
    "postgres_password": lambda: secrets.token_urlsafe(32),
    "redis_password": lambda: secrets.token_urlsafe(32),
}
# Without these an existing database could not be opened or read any more: a new one is no replacement.
BOUND_TO_THE_DATABASE = ("encryption_keys", "postgres_password")


def ensure_secrets(layout: Layout) -> None:
    """Make the secrets that are missing.

    Raises StartError where somebody else could read one, or where one is gone that the database needs.
    """
    make_private(layout.secrets)
    for name, make in MAKERS.items():
        path = layout.secrets / name
        if is_given(name):
            continue
        if path.exists():
            check_private(path)
        elif name in BOUND_TO_THE_DATABASE and layout.cluster.exists():
            raise StartError(
                f"{path} is gone, and the database needs it: restore it from a backup, or change DATA_DIR."
            )
        else:
            write_durably(path, make() + "\n")


def add_encryption_key(layout: Layout) -> str:
    """Make a new primary key and put it in front of the others; its id.

    Raises StartError where the file is not there, or others could read it.
    """
    path = layout.secrets / "encryption_keys"
    if not path.exists():
        raise StartError(f"{path} is not there: start `manage.py serve` once, or set ENCRYPTION_KEYS.")
    check_private(path)
    key = encryption_keys()
    write_durably(path, f"{key}\n{path.read_text()}")
    return key.partition(":")[0]


def is_given(name: str) -> bool:
    """Whether the environment has it: a file beside it would only mislead."""
    return any(os.environ.get(name.upper() + suffix) for suffix in ("", "_FILE"))


def write_durably(path: Path, text: str) -> None:
    """Write a 0600 file that is whole or not there, also after a power cut."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
