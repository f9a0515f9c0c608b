"""What is sealed of a batch: its title, what is said in front of its questions, and the questions not yet asked."""

from typing import Any

from chatproject.lib.crypto import DataKey
from chatproject.lib.keyring import keyring
from conversations.models import Batch


def key_of(batch: Batch) -> DataKey:
    """The key of a batch. Raises CryptoError where its primary key is missing."""
    return keyring().unwrap(batch.data_key, batch.id.hex)


def context(batch: Batch, field: str) -> str:
    """What an envelope of a batch is bound to; of a question, `field` is the number of its row."""
    return f"batch|{batch.id.hex}|{field}"


def opened(batch: Batch, field: str, envelope: Any) -> str | None:
    """What is in an envelope, if there is one."""
    return str(key_of(batch).open(envelope, context(batch, field))) if envelope else None
