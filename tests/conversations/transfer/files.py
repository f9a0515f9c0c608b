"""What tests of exports share: a file as a client gets it, over ASGI as in production."""

import json
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import AsyncClient

from accounts.models import User
from accounts.services import tokens
from chatproject.lib.threads import in_thread

Json = dict[str, Any]


async def download(user: User, conversation: UUID, form: str = "jsonl") -> tuple[bytes, Any]:
    """The file, and the answer that it came with."""
    answer = await ask(user, f"conversations/{conversation}/export/?format={form}")
    assert answer.status_code == 200, answer.content
    return b"".join([piece async for piece in answer.streaming_content]), answer


async def ask(user: User, path: str) -> Any:
    """The answer to a GET as `user`; a streamed one is not read yet."""
    access = (await in_thread(tokens.issue, user))["access"]
    return await AsyncClient().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {access}"})


def lines(file: bytes) -> tuple[Json, list[Json]]:
    """Header and events of a JSONL file."""
    header, *events = [json.loads(line) for line in file.decode().removesuffix("\n").split("\n")]
    return header, events


def database_url() -> str:
    """That of the test database, for processes of our own."""
    given = connection.settings_dict
    host = given["HOST"].replace("/", "%2F")
    return f"postgres://{given['USER']}:{given['PASSWORD']}@{host}:{given['PORT'] or 5432}/{given['NAME']}"
