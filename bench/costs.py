"""What each thing that people do costs the server: processor time, one after the other, with nobody else there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.engine.requests import Connection
from bench.engine.servers import Server
from bench.engine.stage import Stage, run
from bench.figures import Figure, Terms, table
from bench.life import Person, log_in
from realtime.client import Client, Room

ROOM = 4
# Of each kind so many are done; the first tenth warms up.
TIMES = 200
LOG_INS = 20
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the processor, of the server's own and with what the kernel did for it, each time."""

    what: str
    user: float
    both: float


def costs(place: Stage, _: Terms) -> list[Figure]:
    """Pages, frames and connections of people in a conversation of four, a kind at a time."""
    from bench.engine import places

    server = place.server("ours")
    found = run(_costs(server, places.people(1, ROOM)))
    print(table(("what", "server's processor, ms", "of it in Python and libraries"), [_row(one) for one in found]))
    return [Figure(f"one {one.what}: processor of the server", f"{one.both:.1f} ms") for one in found]


async def _costs(server: Server, people: list[Person]) -> list[Cost]:
    host, person = f"http://127.0.0.1:{server.port}", people[1]
    pages = Connection(server.port, person.cookie)
    base = f"/c/{person.conversation}/"
    async with Client(host, token=person.token, transport="websocket") as client:
        room = client.join(person.conversation)
        await _caught_up(room)
        found = [await _cost(server, "send of one who is alone", lambda: room.send("what costs how much"))]
        message = await _newest_message(room)
        found += [
            await _cost(server, "log in", lambda: log_in(host, people[0]), LOG_INS),
            await _cost(server, "list page", lambda: pages.ask("/list/")),
            await _cost(server, "conversation page", lambda: pages.ask(base)),
            await _cost(server, "message page", lambda: pages.ask(f"{base}m/{message}/")),
            await _cost(server, "connection that joins", lambda: _come(host, person, None, None)),
            await _cost(server, "connection that goes on", lambda: _come(host, person, room.epoch, room.seq)),
        ]
    pages.close()
    return found


async def _cost(server: Server, what: str, act: Act, times: int = TIMES) -> Cost:
    for _ in range(times // 10):
        await act()
    before = server.process.cpu_times()
    for _ in range(times):
        await act()
    after = server.process.cpu_times()
    user, system = after.user - before.user, after.system - before.system
    return Cost(what, 1000 * user / times, 1000 * (user + system) / times)


async def _come(host: str, person: Person, epoch: str | None, seq: int | None) -> None:
    async with Client(host, token=person.token, transport="websocket") as client:
        await _caught_up(client.join(person.conversation, epoch=epoch, seq=seq))


async def _caught_up(room: Room) -> None:
    async for frame in room:
        if frame["type"] == "joined":
            return


async def _newest_message(room: Room) -> str:
    async for frame in room:
        if frame["type"] == "message:new":
            return str(frame["data"]["message"])
    raise ConnectionError("the conversation ended")


def _row(one: Cost) -> tuple[str, str, str]:
    return one.what, f"{one.both:.1f}", f"{one.user:.1f}"
