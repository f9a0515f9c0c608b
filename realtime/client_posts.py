"""What the Python client says by plain HTTP: a frame of the socket as a request, and the frame that answers it.
Needs neither Django nor the server's code."""

import json
from collections.abc import Callable

import httpx2 as httpx

from realtime.client_room import Frame

OPEN_SECONDS = 10
RETRYABLE = ("unavailable", "internal", "rate_limited", "conversation_busy", "room_full")


def http_client(base: str, token: str, receive: Callable[[Frame], None]) -> httpx.AsyncClient:
    """Requests to the server at `base` as whom `token` says; where an answer renews it, `receive` is told."""

    async def look(answer: httpx.Response) -> None:
        if fresh := answer.headers.get("X-Access-Token"):
            receive({"type": "auth:renewed", "access": fresh})

    timeout = httpx.Timeout(60, connect=OPEN_SECONDS)
    hooks = {"response": [look]}
    return httpx.AsyncClient(base_url=base, headers=as_bearer(token), timeout=timeout, event_hooks=hooks)


def as_bearer(token: str) -> dict[str, str]:
    """The header that shows a token."""
    return {"Authorization": f"Bearer {token}"}


async def answer_to(http: httpx.AsyncClient, frame: Frame) -> Frame:
    """Do what a `send` or `stop` frame asks: `sent`, `ok` or `error`. Should it be said again, its cmid is the same."""
    try:
        answer = await _post(http, frame)
    except httpx.HTTPError as error:
        return {"type": "error", "ref": frame["ref"], "code": "unavailable", "message": str(error), "retryable": True}
    if answer.status_code >= 400:
        return {**problem(answer), "ref": frame["ref"]}
    return {"type": "ok", "ref": frame["ref"]} if frame["type"] == "stop" else _sent(frame, answer.json())


async def _post(http: httpx.AsyncClient, frame: Frame) -> httpx.Response:
    if frame["type"] == "stop":
        return await http.post(f"/api/v1/runs/{frame['run']}/stop/")
    body = {name: value for name, value in frame.items() if name not in ("type", "ref", "conversation")}
    return await http.post(f"/api/v1/conversations/{frame['conversation']}/messages/", json=body)


def _sent(frame: Frame, body: Frame) -> Frame:
    event, run = body["event"], body.get("run")
    sent = {name: frame[name] for name in ("ref", "conversation", "cmid")}
    sent |= {"type": "sent", "seq": event["seq"], "id": event["id"], "dup": body["dup"]}
    return {**sent, "run": run["id"]} if run else sent


def problem(answer: httpx.Response) -> Frame:
    """The `error` frame of a problem document, which was read; its members but for the type, which is an address."""
    try:
        found: Frame = {"code": "internal", **json.loads(answer.content)}
    except (ValueError, TypeError):
        found = {"code": "internal", "detail": "The answer was not understood."}
    if (later := answer.headers.get("retry-after", "")).isdecimal():
        found["retry_after_ms"] = int(later) * 1000
    return {**found, "type": "error", "message": found.get("detail", ""), "retryable": found["code"] in RETRYABLE}
