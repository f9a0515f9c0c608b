"""The key pairs that our own tokens are signed with where TOKEN_PRIVATE_KEY_FILE is set, and their public parts."""

import hashlib
import re
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from jwt.algorithms import RSAAlgorithm

PEM = re.compile(rb"-----BEGIN [A-Z ]+-----.+?-----END [A-Z ]+-----", re.DOTALL)
LEAST_BITS = 2048


def pairs() -> dict[str, RSAPrivateKey]:
    """The pairs in TOKEN_PRIVATE_KEY_FILE by their names, the one in use first; none where it is not set.

    Raises OSError, or ValueError where there is anything but RSA keys of 2048 bits or more.
    """
    if not settings.TOKEN_PRIVATE_KEY_FILE:
        return {}
    blocks = PEM.findall(Path(settings.TOKEN_PRIVATE_KEY_FILE).read_bytes())
    found = [_private(block) for block in blocks]
    if not found:
        raise ValueError("it holds no private key")
    return {_name(key): key for key in found}


def key_set() -> dict[str, list[dict[str, Any]]]:
    """The public keys as a JSON Web Key Set."""
    made = []
    for kid, key in pairs().items():
        made.append({**_public(key), "kid": kid, "use": "sig", "alg": "RS256"})
    return {"keys": made}


def _private(block: bytes) -> RSAPrivateKey:
    key = load_pem_private_key(block, password=None)
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise ValueError(f"keys have to be RSA keys of {LEAST_BITS} bits or more")
    return key


def _public(key: RSAPrivateKey) -> dict[str, Any]:
    found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {name: found[name] for name in ("e", "kty", "n")}


def _name(key: RSAPrivateKey) -> str:
    """The key's thumbprint (RFC 7638)."""
    parts = ",".join(f'"{name}":"{value}"' for name, value in _public(key).items())
    return urlsafe_b64encode(hashlib.sha256(f"{{{parts}}}".encode()).digest()).decode().rstrip("=")
