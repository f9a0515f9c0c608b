"""Secrets of connectors at rest: sealed by the primary keys (ENCRYPTION_KEYS), each bound to its row."""

from typing import Any
from uuid import UUID

import msgspec

from chatproject.lib import keyring

Secrets = dict[str, Any]


def seal(secrets: Secrets, row: UUID) -> str:
    """An envelope of `secrets`; empty where there are none."""
    return keyring.seal(msgspec.json.encode(secrets), _purpose(row)) if secrets else ""


def unseal(sealed: str, row: UUID) -> Secrets:
    """The inverse of `seal`. Raises CryptoError."""
    return msgspec.json.decode(keyring.unseal(sealed, _purpose(row)), type=Secrets) if sealed else {}


def _purpose(row: UUID) -> str:
    return f"connectors.secrets {row.hex}"
