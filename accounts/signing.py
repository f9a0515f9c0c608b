"""What our own tokens are signed with: SECRET_KEY (HS256), or key pairs (RS256) that others can verify tokens by."""

from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from accounts import keypairs


class Access(AccessToken):
    def get_token_backend(self) -> TokenBackend:
        return backend()


class Refresh(RefreshToken):
    def get_token_backend(self) -> TokenBackend:
        return backend()


class KeyPairs(TokenBackend):
    """Signs with the first pair and takes what any of them signed; tokens name theirs (`kid`)."""

    def __init__(self, pairs: dict[str, RSAPrivateKey], **options: Any) -> None:
        super().__init__("RS256", **options)
        self._pairs = pairs

    def encode(self, payload: dict[str, Any]) -> str:
        kid, key = next(iter(self._pairs.items()))
        names = {"aud": self.audience, "iss": self.issuer}
        claims = {**payload, **{name: value for name, value in names.items() if value is not None}}
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})

    def get_verifying_key(self, token: Any) -> Any:
        """Raises TokenBackendError where no pair of ours signed it."""
        try:
            return self._pairs[jwt.get_unverified_header(token)["kid"]].public_key()
        except (jwt.InvalidTokenError, KeyError) as error:
            raise TokenBackendError("no key of ours") from error


@cache
def backend() -> TokenBackend:
    """What signs and verifies, by the settings."""
    options: dict[str, Any] = {
        "audience": settings.TOKEN_AUDIENCE or None,
        "issuer": settings.TOKEN_ISSUER or None,
        "leeway": settings.TOKEN_LEEWAY_SECONDS,
    }
    found = keypairs.pairs()
    return KeyPairs(found, **options) if found else TokenBackend("HS256", settings.SECRET_KEY, **options)
