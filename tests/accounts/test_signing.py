"""Tokens signed with key pairs of our own, which others verify by /.well-known/jwks.json."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.test import Client

from accounts import keypairs, signing
from accounts.models import User
from accounts.services import tokens
from chatproject import checks
from tests.api import Api

WELL_KNOWN = "/.well-known/jwks.json"


def pem(key: Any) -> bytes:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made


def fresh(bits: int = 2048) -> bytes:
    return pem(rsa.generate_private_key(65537, bits))


@pytest.fixture
def key_file(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A file of one key pair, in use."""
    path = tmp_path / "keys.pem"
    path.write_bytes(fresh())
    settings.TOKEN_PRIVATE_KEY_FILE = str(path)
    signing.backend.cache_clear()
    yield path
    signing.backend.cache_clear()


def published() -> jwt.PyJWKSet:
    answer = Client().get(WELL_KNOWN)
    assert answer.status_code == 200
    return jwt.PyJWKSet.from_dict(answer.json())


def test_others_verify_our_tokens(alice: User, key_file: Path, settings: Any) -> None:
    settings.TOKEN_ISSUER, settings.TOKEN_AUDIENCE = "https://chat.example", "reports"
    access = tokens.issue(alice)["access"]
    key = published()[jwt.get_unverified_header(access)["kid"]]
    claims = jwt.decode(access, key, algorithms=["RS256"], issuer="https://chat.example", audience="reports")
    assert claims["sub"] == str(alice.id)
    assert Api(access).get("me/").status == 200


def test_only_public_parts_are_published(key_file: Path) -> None:
    (key,) = Client().get(WELL_KNOWN).json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_without_key_pairs_there_is_nothing_to_publish() -> None:
    assert Client().get(WELL_KNOWN).status_code == 404


def test_a_refresh_token_is_signed_so_too(alice: User, key_file: Path) -> None:
    pair = tokens.issue(alice)
    assert jwt.get_unverified_header(pair["refresh"])["alg"] == "RS256"
    assert tokens.renew(pair["refresh"])["access"]


def test_a_new_pair_in_front_logs_nobody_out(alice: User, key_file: Path) -> None:
    before = tokens.issue(alice)["access"]
    key_file.write_bytes(fresh() + key_file.read_bytes())
    signing.backend.cache_clear()
    after = tokens.issue(alice)["access"]
    assert [Api(access).get("me/").status for access in (before, after)] == [200, 200]
    assert len(published().keys) == 2

    key_file.write_bytes(keypairs.PEM.findall(key_file.read_bytes())[0])
    signing.backend.cache_clear()
    assert [Api(access).get("me/").status for access in (before, after)] == [401, 200]


def test_tokens_that_nobody_of_us_signed(alice: User, key_file: Path) -> None:
    access = tokens.issue(alice)["access"]
    kid = jwt.get_unverified_header(access)["kid"]
    claims = jwt.decode(access, options={"verify_signature": False})
    public = jwt.PyJWK(Client().get(WELL_KNOWN).json()["keys"][0])
    forged = [
        jwt.encode(claims, fresh(), algorithm="RS256", headers={"kid": kid}),
        jwt.encode(claims, fresh(), algorithm="RS256", headers={"kid": "mine"}),
        jwt.encode(claims, fresh(), algorithm="RS256"),
        jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
        # The public key as a secret: what libraries fell for that believe the token's word for the algorithm.
        jwt.encode(
            claims, public.key_id.encode() * 4 if public.key_id else b"", algorithm="HS256", headers={"kid": kid}
        ),
    ]
    for token in forged:
        assert Api(token).get("me/").code == "unauthenticated"


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", fresh(1024), pem(ec.generate_private_key(ec.SECP256R1()))],
    ids=["empty", "nonsense", "short", "no RSA"],
)
def test_keys_that_will_not_do_stop_the_start(tmp_path: Path, settings: Any, content: bytes) -> None:
    path = tmp_path / "keys.pem"
    path.write_bytes(content)
    settings.TOKEN_PRIVATE_KEY_FILE = str(path)
    assert [found.id for found in checks.signing_keys_valid()] == ["chatproject.E050"]


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path, settings: Any) -> None:
    settings.TOKEN_PRIVATE_KEY_FILE = str(tmp_path / "missing.pem")
    assert [found.id for found in checks.signing_keys_valid()] == ["chatproject.E050"]
