"""Requests to real servers, many at once."""

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Response:
    status: int
    json: Any


async def post(url: str, token: str, body: Any) -> Response:
    """POST JSON with an access token."""
    return await asyncio.to_thread(_post, url, token, body)


def _post(url: str, token: str, body: Any) -> Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Response(answer.status, json.load(answer))
    except urllib.error.HTTPError as error:
        return Response(error.code, json.load(error))
