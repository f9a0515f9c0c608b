"""An OAuth 2 server on loopback, by Authlib: code with PKCE, refresh, client credentials, revocation (RFC 7009)."""

import threading
import time
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "chat", "a secret of the client"
POST = ["client_secret_post"]


class Client:
    """Ours, as the server knows it: one exact redirect address."""

    client_id = CLIENT_ID

    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in POST

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return True


class Token:
    """What was given out, and to whom."""

    def __init__(self, given: dict[str, Any], user: str | None) -> None:
        self.access, self.refresh = given["access_token"], given.get("refresh_token")
        self.user, self.revoked = user, False
        self.scope, self.until = given.get("scope", ""), time.time() + given["expires_in"]

    def check_client(self, client: Client) -> bool:
        return client.client_id == CLIENT_ID

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return int(self.until - time.time())

    def is_expired(self) -> bool:
        return self.until < time.time()

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> str | None:
        return self.user

    def get_client(self) -> Client:
        return Client("")


class Code:
    """An authorization code that waits to be exchanged."""

    def __init__(self, code: str, asked: dict[str, Any], user: str) -> None:
        self.code, self.user = code, user
        self.redirect_uri, self.scope = asked["redirect_uri"], asked.get("scope", "")
        self.code_challenge = asked.get("code_challenge")
        self.code_challenge_method = asked.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)


class Server:
    """`person` says yes to whatever is asked next; tokens live for `seconds`."""

    def __init__(self, redirect_uri: str) -> None:
        self.client = Client(redirect_uri)
        self.person, self.seconds = "ada", 3600
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []
        self._server = make_server("127.0.0.1", 0, _application(self), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()

    def visit(self, address: str) -> str:
        """Be a browser that was sent here: where it is sent back to. Raises HTTPError where it is not."""
        answer = requests.get(address, allow_redirects=False, timeout=10)
        answer.raise_for_status()
        return answer.headers["Location"]

    def holder(self, header: str) -> str | None:
        """Whose living token an Authorization header carries; the client's own is `CLIENT_ID`'s."""
        for token in self.tokens:
            if header == f"Bearer {token.access}" and not token.revoked and not token.is_expired():
                return token.user or CLIENT_ID
        return None

    def auth(self, type_: str) -> dict[str, str]:
        """The configuration of a connector that uses this server."""
        places = {"token_url": "token", "authorize_url": "authorize", "revoke_url": "revoke"}
        about = {"type": type_, "client_id": CLIENT_ID, "scope": "read"}
        return {**about, **{name: f"{self.url}/{path}" for name, path in places.items()}}


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def _application(server: Server) -> Flask:
    def keep(given: dict[str, Any], asked: Any) -> None:
        server.tokens.append(Token(given, asked.user))

    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True

    def known(id_: str) -> Client | None:
        return server.client if id_ == CLIENT_ID else None

    judge = AuthorizationServer(app, query_client=known, save_token=keep)
    _grants(judge, server)
    judge.register_endpoint(_revocation(server))

    @app.get("/authorize")
    def authorize() -> Any:
        try:
            grant = judge.get_consent_grant(end_user=server.person)
        except OAuth2Error as error:
            return str(error.description), 400
        return judge.create_authorization_response(grant_user=server.person, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return judge.create_token_response()

    @app.post("/revoke")
    def revoke() -> Any:
        return judge.create_endpoint_response("revocation")

    return app


def _grants(judge: AuthorizationServer, server: Server) -> None:
    class ByCode(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = POST

        def save_authorization_code(self, code: str, asked: Any) -> None:
            server.codes[code] = Code(code, asked.payload.data, server.person)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return server.codes.get(code)

        def delete_authorization_code(self, code: Code) -> None:
            del server.codes[code.code]

        def authenticate_user(self, code: Code) -> str:
            return code.user

    class ByRefresh(RefreshTokenGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = POST
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh: str) -> Token | None:
            return next((one for one in server.tokens if one.refresh == refresh and not one.revoked), None)

        def authenticate_user(self, token: Token) -> str | None:
            return token.user

        def revoke_old_credential(self, token: Token) -> None:
            token.revoked = True

    class ByItself(ClientCredentialsGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = POST

    judge.register_grant(ByCode, [CodeChallenge(required=True)])
    judge.register_grant(ByRefresh)
    judge.register_grant(ByItself)
    judge.register_token_generator("default", _generator(server))


def _generator(server: Server) -> Any:
    def generate(grant_type: str, client: Client, user: Any = None, scope: str = "", **_: Any) -> dict[str, Any]:
        number = len(server.tokens)
        given: dict[str, Any] = {"access_token": f"access-{number}", "token_type": "Bearer", "scope": scope}
        given |= {"expires_in": server.seconds}
        return given if grant_type == "client_credentials" else {**given, "refresh_token": f"refresh-{number}"}

    return generate


def _revocation(server: Server) -> type[RevocationEndpoint]:
    class Revocation(RevocationEndpoint):
        CLIENT_AUTH_METHODS = POST

        def query_token(self, text: str, hint: str) -> Token | None:
            return next((one for one in server.tokens if text in (one.access, one.refresh)), None)

        def revoke_token(self, token: Token, asked: Any) -> None:
            token.revoked = True

    return Revocation
