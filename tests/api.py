"""The HTTP API as a client sees it: the real URL configuration and middleware, nothing patched.

Whatever a test asks for, the answer must be one that the OpenAPI document promises, and carry a request id.
"""

import json
from typing import Any

from django.test import Client

from tests import openapi

BASE = "/api/v1/"


class Answer:
    """What came back: `status`, `headers`, and `json` (None where there is no body, or a streamed one)."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.streaming: bool = response.streaming
        self.json: Any = json.loads(response.content) if not self.streaming and response.content else None

    @property
    def type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def code(self) -> str | None:
        """The code of a problem."""
        return self.json.get("code") if isinstance(self.json, dict) else None


class Api:
    """Requests under `/api/v1/` with an access token, or with none."""

    def __init__(self, access: str | None) -> None:
        self._client = Client(raise_request_exception=False)
        self._headers = {"Authorization": f"Bearer {access}"} if access else {}

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("POST", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.request("PATCH", path, body, headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.request("DELETE", path, None, headers)

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """`body` is sent as JSON, or as it is where it is bytes; headers are given with `_` for `-`."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = given.pop("Content-Type", "application/json")
        response = self._client.generic(
            method, BASE + path, data, content_type=content_type, headers={**self._headers, **given}
        )
        answer = Answer(response)
        assert answer.headers["X-Request-ID"]
        if method not in ("HEAD", "OPTIONS") and not answer.streaming:
            route = response.resolver_match.route if answer.status < 400 else ""
            openapi.check(method, route, answer.status, answer.type, answer.json)
        return answer
