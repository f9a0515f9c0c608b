"""An OpenID provider on loopback, by Authlib: it lets everybody in as who a test says, and can be made to lie."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, jsonify, request
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "conversations", "a secret of the client"
KEY_ID = "first"
Claims = dict[str, Any]


class Client:
    """Ours, as the provider knows it: one exact redirect address."""

    client_id = CLIENT_ID

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_post"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code:
    """An authorization code that waits to be exchanged, as Authlib asks for it."""

    def __init__(self, code: str, asked: Claims, claims: Claims) -> None:
        self.code, self.claims, self.auth_time = code, claims, int(time.time())
        self.redirect_uri, self.scope, self.nonce = asked["redirect_uri"], asked["scope"], asked.get("nonce")
        self.code_challenge = asked.get("code_challenge")
        self.code_challenge_method = asked.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Provider:
    """`person` are the claims of whoever logs in next; `lie` changes the claims of what is signed."""

    def __init__(self, redirect_uri: str) -> None:
        self.client = Client(redirect_uri)
        self.person: Claims = {}
        self.lie: Callable[[Claims], Claims] = dict
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Claims] = {}
        self.key = rsa.generate_private_key(65537, 2048)
        self._server = make_server("127.0.0.1", 0, _application(self), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()

    def visit(self, address: str) -> str:
        """Be a browser that was sent to the provider: where it is sent back to. Raises HTTPError where it is not."""
        answer = requests.get(address, allow_redirects=False, timeout=10)
        answer.raise_for_status()
        return answer.headers["Location"]

    def id_token(self, claims: Claims, nonce: str | None) -> str:
        now = int(time.time())
        about = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, **claims}
        if nonce:
            about["nonce"] = nonce
        return jwt.encode(self.lie(about), self.key, algorithm="RS256", headers={"kid": KEY_ID})


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _application(provider: Provider) -> Flask:
    """The provider's endpoints. Authlib judges requests: client, redirect address, PKCE, codes that were used."""

    def keep(token: Claims, asked: Any) -> None:
        provider.tokens[token["access_token"]] = asked.user

    def client(id_: str) -> Client | None:
        return provider.client if id_ == CLIENT_ID else None

    app = Flask(__name__)
    server = AuthorizationServer(app, query_client=client, save_token=keep)
    server.register_grant(_grant(provider), [CodeChallenge(required=True), _id_token(provider)])
    _routes(app, server, provider)
    return app


def _grant(provider: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

        def save_authorization_code(self, code: str, asked: Any) -> None:
            provider.codes[code] = Code(code, asked.payload.data, provider.person)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            del provider.codes[code.code]

        def authenticate_user(self, code: Code) -> Claims:
            return code.claims

    return Grant


def _id_token(provider: Provider) -> OpenIDCode:
    class IdToken(OpenIDCode):
        def exists_nonce(self, nonce: str, asked: Any) -> bool:
            return False

        def generate_user_info(self, user: Claims, scope: str) -> UserInfo:
            return UserInfo(user)

        def process_token(self, grant: Any, response: Any) -> Any:
            code = grant.request.authorization_code
            response[1]["id_token"] = provider.id_token(code.claims, code.nonce)
            return response

    return IdToken(require_nonce=False)


def _routes(app: Flask, server: AuthorizationServer, provider: Provider) -> None:
    @app.get("/.well-known/openid-configuration")
    def configuration() -> Any:
        places = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "userinfo_endpoint": "userinfo",
            "jwks_uri": "jwks",
        }
        told = {name: f"{provider.url}/{path}" for name, path in places.items()}
        return jsonify(issuer=provider.url, token_endpoint_auth_methods_supported=["client_secret_post"], **told)

    @app.get("/authorize")
    def authorize() -> Any:
        try:
            grant = server.get_consent_grant(end_user=provider.person)
        except OAuth2Error as error:
            return str(error.description), 400
        return server.create_authorization_response(grant_user=provider.person, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:
        return jsonify(provider.tokens[request.headers["Authorization"].removeprefix("Bearer ")])

    @app.get("/jwks")
    def jwks() -> Any:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(provider.key.public_key(), as_dict=True)
        return jsonify(keys=[{**public, "kid": KEY_ID, "alg": "RS256", "use": "sig"}])
