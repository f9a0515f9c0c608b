"""The primary keys of this process (ENCRYPTION_KEYS), for what has no data key of its own."""

import base64
from functools import cache

from django.conf import settings

from chatproject.lib.crypto import Keyring, decrypt, encrypt


@cache
def keyring() -> Keyring:
    return Keyring(settings.ENCRYPTION_KEYS)


def seal(data: bytes, purpose: str) -> str:
    """`data` encrypted for a purpose by the first key: `<key id>:<base64>`."""
    key_id = keyring().primary_id
    sealed = encrypt(keyring().derive(purpose, key_id), data, purpose.encode())
    return f"{key_id}:{base64.b64encode(sealed).decode()}"


def unseal(sealed: str, purpose: str) -> bytes:
    """The inverse of `seal`. Raises CryptoError where the key is missing, or the text was changed or is none."""
    key_id, _, body = sealed.partition(":")
    cipher = keyring().derive(purpose, key_id)
    return decrypt(cipher, base64.b64decode(body), purpose.encode())


def sealed_by(sealed: str) -> str:
    """The id of the key that opens a sealed text."""
    return sealed.partition(":")[0]
