"""Half an hour of coming, talking and leaving: `python -m bench.soak [--minutes 30] [--visitors 40]`, or `make soak`.

The server's memory must stay flat, and nothing of them be left there once all have gone. Ends with 1 where it is not.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx2 as httpx

from bench.engine.servers import Server
from bench.engine.sockets import Seat
from bench.engine.stage import stage
from bench.figures import Figure, summary, table
from bench.flatness import Sample, figures, row
from bench.visits import Diary, Pace, Visitor

MEMBERS = 4
SAMPLE_SECONDS = 10.0
ROWS = 10
# Whoever was cut off is silent for a while before the server knows.
GONE_SECONDS = 90.0
REGISTRIES = "connections_open", "rooms_open"
PAGE = 200


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=30.0)
    options.add_argument("--visitors", type=int, default=40)
    given = options.parse_args()
    with stage() as place:
        seats = place.new_seats(given.visitors // MEMBERS, MEMBERS)
        found = asyncio.run(_soak(place.server("ours"), [seat for room in seats for seat in room], given.minutes * 60))
    print(f"\n{summary(found)}")
    sys.exit(any(one.holds is False for one in found))


async def _soak(server: Server, seats: Sequence[Seat], seconds: float) -> list[Figure]:
    host, diary = f"http://127.0.0.1:{server.port}", Diary()
    async with httpx.AsyncClient(base_url=host, timeout=30) as http:
        before = await _sample(server, http, diary, 0.0)
        visitors = [
            asyncio.create_task(Visitor(seat.conversation, seat.token, host, diary, Pace()).live()) for seat in seats
        ]
        samples = await _watch(server, http, diary, seconds)
        for visitor in visitors:
            visitor.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)
        last = await _everybody_gone(server, http, diary, seconds)
        print(_report([before, *samples, last]))
        return [*figures(samples, last), *diary.figures(), await _whole(http, seats, diary)]


async def _watch(server: Server, http: httpx.AsyncClient, diary: Diary, seconds: float) -> list[Sample]:
    began, samples = time.monotonic(), []
    while (at := time.monotonic() - began) < seconds:
        samples.append(await _sample(server, http, diary, at))
        print(*row(samples[-1]), sep="  ", file=sys.stderr)
        await asyncio.sleep(SAMPLE_SECONDS)
    return samples


async def _everybody_gone(server: Server, http: httpx.AsyncClient, diary: Diary, at: float) -> Sample:
    """The first moment at which nothing is registered any more, GONE_SECONDS later at the latest."""
    deadline = time.monotonic() + GONE_SECONDS
    while True:
        last = await _sample(server, http, diary, at)
        if not (last.connections or last.rooms) or time.monotonic() > deadline:
            return last
        await asyncio.sleep(1)


async def _sample(server: Server, http: httpx.AsyncClient, diary: Diary, at: float) -> Sample:
    text = (await http.get("/metrics")).text
    connections, rooms = (_value(text, name) for name in REGISTRIES)
    return Sample(at, server.memory(), connections, rooms, diary.visits)


def _value(text: str, name: str) -> int:
    return int(
        sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))
    )


def _report(samples: Sequence[Sample]) -> str:
    step = max(1, len(samples) // ROWS)
    chosen = [*samples[:-1:step], samples[-1]]
    return table(("minute", "memory", "connections", "rooms", "visits"), [row(one) for one in chosen])


async def _whole(http: httpx.AsyncClient, seats: Sequence[Seat], diary: Diary) -> Figure:
    """Whether every acknowledged message is in its log once, and no log has a hole."""
    tokens = {seat.conversation: seat.token for seat in seats}
    logs = {conversation: await _log(http, conversation, token) for conversation, token in tokens.items()}
    whole = sum(_is_whole(log, diary.acknowledged.get(conversation, [])) for conversation, log in logs.items())
    what = "logs without a hole, every acknowledged message there once"
    return Figure(what, str(whole), str(len(logs)), whole == len(logs))


async def _log(http: httpx.AsyncClient, conversation: str, token: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while True:
        where = {"after_seq": len(events), "limit": PAGE}
        bearer = {"Authorization": f"Bearer {token}"}
        answer = await http.get(f"/api/v1/conversations/{conversation}/events/", params=where, headers=bearer)
        answer.raise_for_status()
        page = answer.json()["results"]
        if not page:
            return events
        events += page


def _is_whole(log: Sequence[dict[str, Any]], acknowledged: Sequence[int]) -> bool:
    said = {event["seq"] for event in log if event["type"] == "message:new"}
    numbered = [event["seq"] for event in log] == [*range(1, len(log) + 1)]
    return numbered and len(set(acknowledged)) == len(acknowledged) and said >= {*acknowledged}


if __name__ == "__main__":
    main()
