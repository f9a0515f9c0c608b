"""The HTTP API as a client sees it: the real URL configuration and middleware, nothing patched.

Whatever a test asks for, the answer must be one that the OpenAPI document promises, and carry a request id.
"""

import json
from collections.abc import AsyncIterable
from functools import cached_property
from typing import Any

from asgiref.sync import async_to_sync
from django.test import Client

from tests import openapi

BASE = "/api/v1/"
# Between the parts of a form; nothing that random bytes hold.
BOUNDARY = "between-the-parts"


class Answer:
    """What came back: `status`, `headers`, `json` (None where there is no body, or a streamed one), and `body`."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.streaming: bool = response.streaming
        self._response = response
        self.json: Any = json.loads(response.content) if not self.streaming and response.content else None

    @cached_property
    def body(self) -> bytes:
        """All of it; to be read once where it is streamed."""
        return streamed(self._response.streaming_content) if self.streaming else self._response.content

    @property
    def type(self) -> str:
        return self.headers.get("Content-Type", "")

    @property
    def code(self) -> str | None:
        """The code of a problem."""
        return self.json.get("code") if isinstance(self.json, dict) else None


class Api:
    """Requests under `/api/v1/` (a path that begins with a slash is elsewhere) with an access token, or with none."""

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

    def upload(
        self, conversation: object, content: bytes, name: str = "notes.txt", claim: str = "text/plain", **headers: str
    ) -> Answer:
        """POST files/, as a form does; `claim` is what the client says it is."""
        field = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="conversation"\r\n\r\n{conversation}\r\n'
        file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        file += f"Content-Type: {claim}\r\n\r\n"
        form = (field + file).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.request(
            "POST", "files/", form, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", **headers}
        )

    def request(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        """`body` is sent as JSON, or as it is where it is bytes; headers are given with `_` for `-`."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = given.pop("Content-Type", "application/json")
        response = self._client.generic(
            method,
            path if path.startswith("/") else BASE + path,
            data,
            content_type=content_type,
            headers={**self._headers, **given},
        )
        answer = Answer(response)
        assert answer.headers["X-Request-ID"]
        if method not in ("HEAD", "OPTIONS") and not answer.streaming:
            route = response.resolver_match.route if answer.status < 400 else ""
            openapi.check(method, route, answer.status, answer.type, answer.json)
        return answer


@async_to_sync
async def streamed(pieces: AsyncIterable[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])
