"""Envelope encryption: AES-256-GCM (NIST SP 800-38D), keys from the environment, never from the database.

A *primary key* (first of `ENCRYPTION_KEYS`) wraps one *data key* per conversation. An envelope stands in
place of the secret value and names the data key that opens it: `{"$sealed": "<key id>.<base64>"}`.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALED = "$sealed"
KEY_BYTES = 32
NONCE_BYTES = 12


class CryptoError(Exception):
    """A key is missing or malformed, or a ciphertext does not belong where it was found."""


def encrypt(key: AESGCM, plaintext: bytes, context: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plaintext, context)


def decrypt(key: AESGCM, ciphertext: bytes, context: bytes) -> bytes:
    try:
        return key.decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)
    except (InvalidTag, ValueError) as error:
        raise CryptoError("a ciphertext was changed, moved, or belongs to another key") from error


@dataclass(frozen=True)
class DataKey:
    """The key of one conversation. `id` stands in every envelope; `secret` never leaves the process."""

    id: str
    secret: bytes

    @classmethod
    def generate(cls) -> "DataKey":
        return cls(os.urandom(4).hex(), os.urandom(KEY_BYTES))

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.secret)

    def seal(self, value: Any, context: str) -> dict[str, str]:
        """An envelope of `value` (any JSON), bound to `context` (conversation, event id, field)."""
        ciphertext = encrypt(self._cipher, msgspec.json.encode(value), context.encode())
        return {SEALED: f"{self.id}.{base64.b64encode(ciphertext).decode()}"}

    def open(self, envelope: Mapping[str, str], context: str) -> Any:
        """The value of `envelope`. Raises CryptoError where key or context differ from those at sealing."""
        key_id, _, body = envelope[SEALED].partition(".")
        if key_id != self.id:
            raise CryptoError(f"an envelope names data key {key_id}, not {self.id}")
        return msgspec.json.decode(decrypt(self._cipher, base64.b64decode(body), context.encode()))

    def seal_bytes(self, data: bytes, context: str) -> bytes:
        """Like `seal`, for bytes as they are."""
        return encrypt(self._cipher, data, context.encode())

    def open_bytes(self, sealed: bytes, context: str) -> bytes:
        """The inverse of `seal_bytes`. Raises CryptoError."""
        return decrypt(self._cipher, sealed, context.encode())

    def digest(self) -> "hmac.HMAC":
        """A keyed hash (HMAC-SHA-256) that takes bytes piece by piece."""
        return hmac.new(self.secret, digestmod=hashlib.sha256)

    @cached_property
    def search_secret(self) -> bytes:
        """What words are hashed with, see `hash_word`."""
        return hmac.digest(self.secret, b"words that can be searched", hashlib.sha256)

    def fingerprint(self, value: Any) -> bytes:
        """A keyed hash (HMAC-SHA-256) that tells whether two requests had the same body."""
        return hmac.digest(self.secret, msgspec.json.encode(value, order="sorted"), hashlib.sha256)


def hash_word(secret: bytes, word: str) -> int:
    """A keyed hash (BLAKE2b, RFC 7693: 64 bits) by which a word is found without being known."""
    return int.from_bytes(hashlib.blake2b(word.encode(), key=secret, digest_size=8).digest(), "big")


def is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and SEALED in value


class Keyring:
    """The primary keys: the first wraps, all of them unwrap (so that keys can be rotated)."""

    def __init__(self, lines: Iterable[str]) -> None:
        parsed = [_parse_key(line) for line in lines if line.strip()]
        self._keys = dict(parsed)
        if not self._keys:
            raise CryptoError("ENCRYPTION_KEYS holds no key")
        if len(self._keys) < len(parsed):
            raise CryptoError("two keys in ENCRYPTION_KEYS have the same id")
        self.primary_id = next(iter(self._keys))

    @property
    def ids(self) -> list[str]:
        return list(self._keys)

    def weak(self) -> list[str]:
        """The ids of keys that nobody drew at random."""
        return [id_ for id_, secret in self._keys.items() if _is_weak(secret)]

    def wrap(self, data_key: DataKey, context: str) -> str:
        """`data_key` encrypted by the primary key: `<primary id>:<data key id>:<base64>`."""
        wrapped = encrypt(AESGCM(self._keys[self.primary_id]), data_key.secret, f"{context}|{data_key.id}".encode())
        return f"{self.primary_id}:{data_key.id}:{base64.b64encode(wrapped).decode()}"

    def unwrap(self, wrapped: str, context: str) -> DataKey:
        primary_id, key_id, body = wrapped.split(":")
        if primary_id not in self._keys:
            raise CryptoError(f"ENCRYPTION_KEYS holds no key named {primary_id}")
        cipher = AESGCM(self._keys[primary_id])
        return DataKey(key_id, decrypt(cipher, base64.b64decode(body), f"{context}|{key_id}".encode()))

    def derive(self, purpose: str, key_id: str | None = None) -> AESGCM:
        """A cipher for one purpose (HKDF, RFC 5869), e.g. hints on their way through Redis."""
        secret = self._keys.get(key_id or self.primary_id)
        if secret is None:
            raise CryptoError(f"ENCRYPTION_KEYS holds no key named {key_id}")
        return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(secret))


def _parse_key(line: str) -> tuple[str, bytes]:
    key_id, _, body = line.strip().partition(":")
    try:
        secret = base64.b64decode(body, validate=True)
    except ValueError as error:
        raise CryptoError(f"key {key_id} in ENCRYPTION_KEYS is not base64") from error
    if len(secret) != KEY_BYTES or not key_id:
        raise CryptoError("a line of ENCRYPTION_KEYS must read <id>:<base64 of 32 bytes>")
    return key_id, secret


def _is_weak(secret: bytes) -> bool:
    """Few different bytes, a repeated half, an even row of numbers, or plain text. Of 32 random bytes about 30
    differ; that fewer than 20 do, or that all are printable, happens in fewer than one of 10^12."""
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    half = KEY_BYTES // 2
    return len(set(secret)) < 20 or len(steps) < 4 or secret[:half] == secret[half:] or _is_text(secret)


def _is_text(secret: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in secret)


def marks(lines: Iterable[str]) -> str:
    """Short marks of the ids of keys, for what has little room and must not tell more."""
    return ",".join(hashlib.sha256(line.partition(":")[0].encode()).hexdigest()[:6] for line in lines)
