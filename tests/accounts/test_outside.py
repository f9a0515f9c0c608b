"""Tokens of an outside provider, whose keys a real server on loopback gives out."""

import json
import threading
import time
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from accounts import outside
from accounts.models import Login, OutsideAccount, User
from accounts.services import logins
from chatproject import checks
from chatproject.lib.ids import new_id
from tests.api import Api
from tests.conversations.support import at_once

ISSUER, AUDIENCE = "https://login.example", "chat"


@cache
def key_named(kid: str) -> rsa.RSAPrivateKey:
    """The same for all tests: a key takes a tenth of a second or so to make."""
    return rsa.generate_private_key(65537, 2048)


class Provider:
    """Signs tokens, and gives its public keys out; `asked` counts how often."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.asked = 0
        self.status = 200
        self.body: bytes | None = None
        self.add("k1")
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                self.send_response(provider.status)
                self.end_headers()
                self.wfile.write(provider.body if provider.body is not None else provider.key_set())

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"

    def add(self, kid: str) -> None:
        self.keys[kid] = key_named(kid)

    def key_set(self) -> bytes:
        found = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return json.dumps({"keys": found}).encode()

    def token(self, subject: str, *, kid: str | None = "k1", sign_with: str = "k1", **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 600, **claims}
        said = {name: value for name, value in said.items() if value is not None}
        headers = {"kid": kid} if kid else {}
        return jwt.encode(said, self.keys[sign_with], algorithm="RS256", headers=headers)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    made = Provider()
    settings.OUTSIDE_JWKS_URL = made.url
    settings.OUTSIDE_ISSUER, settings.OUTSIDE_AUDIENCE = ISSUER, AUDIENCE
    monkeypatch.setattr(outside, "_keys", outside.Keys())
    yield made
    made.close()


def somebody() -> str:
    return f"subject-{new_id().hex}"


def me(token: str) -> Any:
    answer = Api(token).get("me/")
    assert answer.status == 200, answer.json
    return answer.json


# --- Coming in --------------------------------------------------------------------------------------------


def test_somebody_comes_for_the_first_time_and_again(provider: Provider) -> None:
    subject, wanted = somebody(), f"dora-{new_id().hex[-8:]}"
    first = me(provider.token(subject, preferred_username=wanted, name="Dora"))
    assert (first["username"], first["name"], first["email"]) == (wanted, "Dora", "")
    again = me(provider.token(subject, preferred_username="renamed"))
    assert again["id"] == first["id"]
    assert not User.objects.get(id=first["id"]).has_usable_password()
    assert Login.objects.filter(user=first["id"], kind="outside").count() == 1
    assert provider.asked == 1


def test_a_name_that_is_taken_is_nobodys_key(provider: Provider, alice: User) -> None:
    """Who has Alice's name at the provider is not Alice."""
    other = me(provider.token(somebody(), preferred_username=alice.username, email=alice.email))
    assert other["id"] != str(alice.id)
    assert other["username"].startswith(f"{alice.username}-")


@pytest.mark.parametrize("name", ["", "<b>", "a b\n", "x" * 500, None, 7, ["x"]])
def test_odd_names(provider: Provider, name: Any) -> None:
    assert me(provider.token(somebody(), preferred_username=name))["username"]


def test_of_many_requests_at_once_one_makes_the_user(provider: Provider) -> None:
    token = provider.token(somebody())
    answers = at_once(8, lambda _: Api(token).get("me/"))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert Login.objects.filter(user=answers[0].json["id"]).count() == 1


def test_our_own_tokens_go_on(provider: Provider, as_alice: Api) -> None:
    assert as_alice.get("me/").status == 200
    assert provider.asked == 0


# --- Tokens that will not do ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "others"}, "unauthenticated"),
        ({"aud": None}, "unauthenticated"),
        ({"iss": "https://evil.example"}, "unauthenticated"),
        ({"iss": None}, "unauthenticated"),
        ({"sub": None}, "unauthenticated"),
        ({"iat": None}, "unauthenticated"),
        ({"exp": None}, "unauthenticated"),
        ({"exp": int(time.time()) - 60}, "token_expired"),
        ({"nbf": int(time.time()) + 3600}, "unauthenticated"),
    ],
)
def test_claims_that_will_not_do(provider: Provider, claims: dict[str, Any], code: str) -> None:
    assert Api(provider.token(somebody(), **claims)).get("me/").code == code


def test_other_keys_and_algorithms(provider: Provider) -> None:
    good = provider.token(somebody())
    claims = jwt.decode(good, options={"verify_signature": False})
    stranger = key_named("stranger")
    forged = [
        jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": "k1"}),
        jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": "unknown"}),
        jwt.encode(claims, provider.keys["k1"], algorithm="RS512", headers={"kid": "k1"}),
        # What is public as a secret: what libraries fell for that believe the token's word for the algorithm.
        jwt.encode(claims, json.loads(provider.key_set())["keys"][0]["n"], algorithm="HS256", headers={"kid": "k1"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"}),
        good[:-4] + "AAAA",
    ]
    for token in forged:
        assert Api(token).get("me/").code == "unauthenticated"
    assert not OutsideAccount.objects.filter(subject=claims["sub"]).exists()


def test_without_a_provider_its_tokens_are_nothing(provider: Provider, settings: Any) -> None:
    settings.OUTSIDE_JWKS_URL = ""
    assert Api(provider.token(somebody())).get("me/").code == "unauthenticated"
    assert provider.asked == 0


# --- Keys -------------------------------------------------------------------------------------------------


def test_a_new_key_is_fetched_and_invented_ones_are_not_each_time(provider: Provider, settings: Any) -> None:
    settings.OUTSIDE_REFETCH_SECONDS = 0
    me(provider.token(somebody()))
    provider.add("k2")
    me(provider.token(somebody(), kid="k2", sign_with="k2"))
    assert provider.asked == 2
    settings.OUTSIDE_REFETCH_SECONDS = 60
    for number in range(20):
        assert Api(provider.token(somebody(), kid=f"invented-{number}")).get("me/").code == "unauthenticated"
    assert provider.asked == 2


def test_a_token_that_names_no_key(provider: Provider, settings: Any) -> None:
    """It can only be meant for the one that there is."""
    settings.OUTSIDE_REFETCH_SECONDS = 0
    me(provider.token(somebody(), kid=None))
    provider.add("k2")
    settings.OUTSIDE_KEYS_SECONDS = 0
    assert Api(provider.token(somebody(), kid=None)).get("me/").code == "unauthenticated"


@pytest.mark.parametrize(
    ("status", "body"), [(503, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": 7}'), (200, b'{"keys": []}')]
)
def test_a_provider_in_trouble(provider: Provider, settings: Any, status: int, body: bytes) -> None:
    """Known keys stay known; without any, everybody is told to come again."""
    settings.OUTSIDE_REFETCH_SECONDS = 0
    provider.status, provider.body = status, body
    answer = Api(provider.token(somebody())).get("me/")
    assert (answer.code, answer.headers["Retry-After"]) == ("unavailable", "5")
    provider.status, provider.body = 200, None
    me(provider.token(somebody()))
    settings.OUTSIDE_KEYS_SECONDS = 0
    provider.status, provider.body = status, body
    me(provider.token(somebody()))


# --- The end ----------------------------------------------------------------------------------------------


def test_a_login_that_was_ended_takes_a_token_issued_since(provider: Provider) -> None:
    subject, now = somebody(), int(time.time())
    old = provider.token(subject, iat=now - 60)
    login = Login.objects.get(user=me(old)["id"])
    logins.end(login=login.id, reason=Login.Reason.STAFF)
    assert Api(old).get("me/").code == "unauthenticated"
    assert me(provider.token(subject, iat=now + 20))["id"] == str(login.user_id)


def test_who_is_shut_out_stays_out(provider: Provider) -> None:
    subject = somebody()
    user = me(provider.token(subject))["id"]
    User.objects.filter(id=user).update(is_active=False)
    assert Api(provider.token(subject, iat=int(time.time()) + 20)).get("me/").code == "unauthenticated"


@pytest.mark.parametrize(
    "given",
    [
        {"OUTSIDE_ISSUER": ""},
        {"OUTSIDE_AUDIENCE": ""},
        {"OUTSIDE_ALGORITHM": "HS256"},
        {"OUTSIDE_ALGORITHM": "none"},
        {"OUTSIDE_JWKS_URL": "ftp://example"},
    ],
)
def test_half_a_provider_stops_the_start(provider: Provider, settings: Any, given: dict[str, str]) -> None:
    assert checks.outside_provider_valid() == []
    for name, value in given.items():
        setattr(settings, name, value)
    assert [found.id for found in checks.outside_provider_valid()] == ["chatproject.E051"]
