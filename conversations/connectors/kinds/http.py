"""http: a plugin that is described by an OpenAPI document: it is sent the question, and answers JSON or a stream."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2 as httpx
from django.utils.translation import gettext_lazy as _

from chatproject.lib import outgoing
from chatproject.lib.gulps import in_gulps
from chatproject.lib.threads import in_thread
from conversations.assistants import rhythm
from conversations.assistants.base import Assistant, AssistantError, Throttled, Transient, Turn
from conversations.assistants.isolation import limits
from conversations.assistants.isolation.patience import patiently, retry_after
from conversations.connectors import credentials
from conversations.connectors.credentials import Credentials
from conversations.connectors.kind import Json, Kind
from conversations.connectors.openapi import answers, document, requests
from conversations.connectors.openapi.document import Operation
from conversations.connectors.openapi.requests import Asked, Request
from conversations.connectors.setup import Setup

DOCUMENT_MAX_BYTES = 5 * 1024 * 1024
WHAT: Json = {"enum": list(requests.NAMES)}
SCHEMA: Json = {
    "required": ["openapi_url"],
    "properties": {
        "openapi_url": {"type": "string", "maxLength": 500},
        "operation": {"type": "string", "maxLength": 300},
        "base_url": {"type": "string", "maxLength": 500},
        "map": {"type": "object", "additionalProperties": WHAT},
        "fixed": {"type": "object"},
        "answer": {"type": "string", "maxLength": 200},
        "auth": credentials.SCHEMA,
    },
}
# Roles as plugins know them.
ROLES = {"agent": "assistant", "tool": "assistant"}


@dataclass
class Begun:
    """An answer that has begun: its first piece, and the rest."""

    response: httpx.Response
    first: str
    rest: AsyncIterator[str]


class HttpAssistant:
    """Asks one operation of a plugin; its document is read once per version of the connector."""

    def __init__(self, setup: Setup, operation: Operation) -> None:
        self.setup, self.operation = setup, operation
        self.credentials = Credentials(setup)
        self.bounds = limits.of(setup.config.get("limits", {}))

    async def answer(self, turn: Turn) -> None:
        """Emit what the plugin answers. Cancelling closes the connection. Raises AssistantError."""
        request = requests.build(self.operation, await _asked(turn), *_mapping(self.setup.config))
        user = await turn.asker()
        async with self._http() as http:
            begun = await patiently(lambda: self._begin(http, request, user))
            try:
                await turn.emit(begun.first)
                with in_gulps(rhythm.seconds):
                    async for piece in begun.rest:
                        await turn.emit(piece)
            except httpx.HTTPError as error:
                raise answers.wrong("The plugin broke off its answer.") from error
            finally:
                await begun.response.aclose()

    def _http(self) -> httpx.AsyncClient:
        http = outgoing.async_client(seconds=self.bounds.total_seconds or 24 * 3600)
        http.timeout = httpx.Timeout(self.bounds.stall_seconds, connect=self.bounds.connect_seconds)
        return http

    async def _begin(self, http: httpx.AsyncClient, request: Request, user: UUID | None) -> Begun:
        """Send it, and wait for the first piece. Raises Transient and Throttled, which may be tried again, and
        AssistantError."""
        headers, query = await in_thread(self.credentials.of, user)
        try:
            response = await http.send(_built(http, request, headers, query), stream=True)
        except httpx.HTTPError as error:
            raise _failure(error) from error
        try:
            self._check_status(response)
            rest = answers.pieces(response, self.setup.config.get("answer", ""))
            return Begun(response, await anext(rest, ""), rest)
        except BaseException as error:
            await response.aclose()
            if isinstance(error, httpx.HTTPError):
                raise _failure(error) from error
            raise

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            self.credentials.forget()
            raise AssistantError("connector_refused", "The plugin refused our authorisation.")
        if status == 429:
            wait = retry_after(response.headers.get("retry-after"))
            raise Throttled("connector_busy", "The plugin has too much to do; try again later.", wait)
        if status >= 500:
            raise Transient("connector_error", "The plugin has an error.")
        if status >= 300:
            raise AssistantError("connector_rejected", f"The plugin rejected the request (status {status}).")


def build(setup: Setup) -> Assistant:
    """Read the document, and choose the operation. Raises AssistantError."""
    return HttpAssistant(setup, read_operation(setup))


def read_operation(setup: Setup) -> Operation:
    """Raises AssistantError."""
    source = setup.config["openapi_url"]
    try:
        with outgoing.client(max_bytes=DOCUMENT_MAX_BYTES, follow_redirects=True) as http:
            response = http.get(source)
            response.raise_for_status()
            described = json.loads(response.content)
    except httpx.HTTPError as error:
        raise _failure(error) from error
    except ValueError as error:
        raise document.wrong("The document is no JSON.") from error
    chosen = document.operation(described, setup.config.get("operation", ""), source, setup.config.get("base_url", ""))
    requests.build(chosen, Asked("?", [{"role": "user", "content": "?"}], "?"), *_mapping(setup.config))
    return chosen


async def check(setup: Setup) -> str:
    """Raises AssistantError."""
    operation = await in_thread(read_operation, setup)
    if setup.config.get("auth", {}).get("type") == "client_credentials":
        await in_thread(Credentials(setup).of, None)
    return f"{operation.method} {operation.url}"


def clean(name: str, config: Json) -> None:
    """Raises Problem `invalid`."""
    auth = config.get("auth", {"type": "none"})
    credentials.check(auth)
    urls = [config.get("openapi_url"), config.get("base_url")]
    urls += [auth.get(name) for name in ("authorize_url", "token_url", "revoke_url")]
    for url in filter(None, urls):
        outgoing.check_address(url, "config")


async def _asked(turn: Turn) -> Asked:
    lines = [line for line in (await turn.context()).lines if not line.call]
    messages = [{"role": ROLES.get(line.role, line.role), "content": line.text} for line in lines]
    return Asked(lines[-1].text, messages, await turn.place())


def _mapping(config: Json) -> tuple[dict[str, str], dict[str, Any]]:
    return config.get("map", {}), config.get("fixed", {})


def _built(http: httpx.AsyncClient, request: Request, headers: Json, query: Json) -> httpx.Request:
    accept = {"Accept": "text/event-stream, application/json;q=0.9, text/plain;q=0.5"}
    return http.build_request(
        request.method,
        request.url,
        params={**request.query, **query},
        headers={**request.headers, **headers, **accept},
        json=request.body,
    )


def _failure(error: httpx.HTTPError) -> AssistantError:
    if isinstance(error, outgoing.Refused):
        return AssistantError("connector_refused", str(error))
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return AssistantError("connector_timeout", "The plugin did not answer in time.")
    return Transient("connector_unreachable", "The plugin cannot be reached.")


KIND = Kind("http", _("HTTP plugin (OpenAPI)"), SCHEMA, build, check, credentials.SECRETS, clean)
