"""Dialogues with an instance that runs elsewhere: over its HTTP API, with an API key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx2 as httpx

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import asking
from conversations.dialogues.outcomes import Outcome
from conversations.dialogues.playing import NOBODY, NOTHING_ASKED, Played, Stage
from conversations.dialogues.script import Trajectory, Turn

PAUSE_SECONDS = 0.1
# What passes by itself is asked for again so often, in all.
ATTEMPTS = 10
RETRY_SECONDS = 1.0
Json = dict[str, Any]


def client(url: str, key: str) -> httpx.AsyncClient:
    """Requests to the API of the instance at `url`."""
    return httpx.AsyncClient(
        base_url=f"{url.rstrip('/')}/api/v1/", headers={"Authorization": f"Bearer {key}"}, timeout=30
    )


@dataclass(frozen=True, kw_only=True)
class Remote(Stage):
    """As whom the API key is; who answers there are its workers."""

    http: httpx.AsyncClient

    async def play(self, trajectories: Sequence[Trajectory], concurrency: int) -> AsyncIterator[Played]:
        async with self.http:
            async for played in super().play(trajectories, concurrency):
                yield played

    async def begin(self, trajectory: Trajectory) -> UUID:
        wanted = {"assistant": trajectory.assistant or self.assistant, "temporary": True}
        return UUID((await self._call("POST", "conversations/", wanted))["id"])

    async def say(self, conversation: UUID, turn: Turn) -> UUID:
        said = {"text": turn.say, "cmid": str(new_id()), **({"assistant": turn.assistant} if turn.assistant else {})}
        sent = await self._call("POST", f"conversations/{conversation}/messages/", said)
        if "run" not in sent:
            raise Problem("invalid", NOBODY)
        return UUID(sent["run"]["id"])

    async def answer(self, run: UUID | None, value: object) -> UUID:
        steps = (await self._call("GET", f"runs/{run}/"))["steps"] if run else []
        waiting = [step["step"] for step in steps if asking.is_ask(step) and step["status"] == asking.WAITING]
        if not run or not waiting:
            raise Problem("run_not_active", NOTHING_ASKED)
        await self._call("POST", f"runs/{run}/answer/", {"step": waiting[0], "value": value})
        return run

    async def ended(self, conversation: UUID, run: UUID) -> Outcome:
        row = await self._call("GET", f"runs/{run}/")
        while row["ended_at"] is None and row["status"] != "waiting":
            await asyncio.sleep(PAUSE_SECONDS)
            row = await self._call("GET", f"runs/{run}/")
        return await self._told(conversation, row)

    async def leave(self, conversation: UUID) -> None:
        await self._call("DELETE", f"conversations/{conversation}/?erase=true")

    async def _told(self, conversation: UUID, run: Json) -> Outcome:
        """The text is that of its message; sources are told by the event that ends it."""
        said = await self._call("GET", f"conversations/{conversation}/messages/?limit=100")
        took = _moment(run["ended_at"]) - _moment(run["queued_at"]) if run["ended_at"] else None
        return Outcome(
            status=run["status"],
            text=next((one["text"] for one in said["results"] if one["id"] == run["message"]), ""),
            error=str((run["error"] or {}).get("code", "")),
            steps=run["steps"],
            sources=await self._sources(conversation, run) if took else [],
            milliseconds=took.total_seconds() * 1000 if took else 0.0,
        )

    async def _sources(self, conversation: UUID, run: Json) -> list[Json]:
        after: int | None = 0
        while after is not None:
            page = await self._call("GET", f"conversations/{conversation}/events/?after_seq={after}&limit=200")
            for event in page["results"]:
                if event["type"] == "run:end" and event["data"]["run"] == run["id"]:
                    return event["data"].get("sources") or []
            after = page["next"]
        return []

    async def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        """What the instance answers; where it says that trying again makes sense, that is done, in the time that there
        is. Raises Problem."""
        headers = {"Idempotency-Key": str(new_id())} if method == "POST" else {}
        for attempt in range(ATTEMPTS):
            try:
                answer = await self.http.request(method, path, json=body, headers=headers)
            except httpx.HTTPError as error:
                raise Problem("unavailable", f"{self.http.base_url} cannot be reached: {error!r}") from error
            if answer.is_success:
                return answer.json() if answer.content else None
            pause = float(answer.headers.get("Retry-After", RETRY_SECONDS))
            if answer.status_code not in (429, 503) or attempt == ATTEMPTS - 1 or pause > self.seconds:
                break
            await asyncio.sleep(pause)
        raise _problem(answer)


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _problem(answer: httpx.Response) -> Problem:
    """What an instance says of a refusal, which another program in front of it may say, too."""
    try:
        told = answer.json()
        return Problem(told["code"], str(told.get("errors") or told.get("detail") or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Problem("unavailable", f"The answer has status {answer.status_code}.")
