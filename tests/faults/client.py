"""The product's own client (`realtime/client.py`), writing down what its user did and saw.

It only tries again sooner than people's clients do.
"""

import asyncio
from random import Random
from typing import Any

from chatproject.lib.ids import new_id
from realtime import client as product
from realtime.client import Refused, Room, State
from tests.faults.checker import Frame, History, View


class Place:
    """A conversation at this client: what its user saw of it."""

    def __init__(self, room: Room, view: View) -> None:
        self.room = room
        self.view = view
        # Texts of running answers.
        self.held: dict[str, str] = {}

    @property
    def seq(self) -> int:
        return self.view.applied[-1][0] if self.view.applied else self.view.after

    async def follow(self) -> None:
        """Take in what the room gives, to its end."""
        async for frame in self.room:
            if frame["type"] == "resync":
                self._begin_anew(frame["snapshot"])
            elif frame["type"] == "delta":
                # Where a piece is not the next one, the text is no prefix of the end: the checker finds that.
                self.held[frame["run"]] = self.held.get(frame["run"], "")[: frame["offset"]] + frame["text"]
            elif "data" in frame:
                self._apply(frame)

    def _begin_anew(self, snapshot: Frame) -> None:
        self.view.begin_anew(snapshot["seq"], [(one["seq"], one["id"]) for one in snapshot["state"]["messages"]])
        self.held.clear()

    def _apply(self, event: Frame) -> None:
        self.view.applied.append((event["seq"], event["id"]))
        if event["type"] == "run:start":
            self.held[event["data"]["run"]] = ""
        elif event["type"] == "run:end":
            self._end(event["data"])

    def _end(self, data: Frame) -> None:
        text = data.get("text") or ""
        held = self.held.pop(data["run"], "")
        # What is held of a running answer is always a prefix of its end; a lie is kept for the checker.
        self.view.texts[data["run"]] = text if text.startswith(held) else held


def soon(attempt: int, chance: Random) -> float:
    """Seconds before a try."""
    return chance.uniform(0.05, 0.3)


class Client(product.Client):
    """One person at one device."""

    def __init__(self, name: str, token: str, addresses: list[str], history: History, seed: int) -> None:
        self.name = name
        self.places: dict[str, Place] = {}
        self.connections = 0
        self._history = history
        self._sending: set[asyncio.Task[None]] = set()
        super().__init__(
            [], token=token, client_id=name, transport="websocket", chance=Random(seed), wait=soon, on_state=self._count
        )
        self.move(addresses)

    def move(self, addresses: list[str]) -> None:
        """Connect to one of these `ws://…/ws/` from the next time on."""
        self.urls = [address.replace("ws", "http", 1).removesuffix("/ws/") for address in addresses]

    def _count(self, state: State) -> None:
        self.connections += state == "online"

    def enter(self, conversation: str) -> None:
        """Take part in a conversation, from its beginning."""
        room = self.join(conversation, seq=0)
        self.places[conversation] = Place(room, self._history.view(self.name, conversation))

    def ready(self) -> bool:
        """Whether it is connected and was welcomed."""
        assert self.state != "closed", f"{self.name} was sent away for good: {self.close_code}"
        return self.state == "online"

    def has(self, conversation: str, seq: int) -> bool:
        """Whether it applied everything up to `seq`."""
        return self.places[conversation].seq >= seq

    @property
    def settled(self) -> bool:
        """Whether everything was acknowledged."""
        return not self._sending

    async def send(self, conversation: str, text: str, **fields: Any) -> str:
        """Say something now, or as soon as there is a connection; its cmid."""
        cmid = str(new_id())
        self._history.note("invoke", self.name, conversation, cmid)
        task = asyncio.create_task(self._deliver(conversation, cmid, text, fields))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
        await asyncio.sleep(0)
        return cmid

    async def _deliver(self, conversation: str, cmid: str, text: str, fields: Frame) -> None:
        try:
            sent = await self.places[conversation].room.send(text, cmid=cmid, **fields)
        except Refused:
            self._history.note("fail", self.name, conversation, cmid)
        except ConnectionError:
            self._history.note("info", self.name, conversation, cmid)
        else:
            self._history.note("ok", self.name, conversation, cmid, sent["seq"])

    def receive(self, frame: Frame) -> None:
        """Note errors after which it tries again, which its user does not see."""
        if frame["type"] == "error" and frame["retryable"]:
            for place in self.places.values():
                if frame.get("ref") in place.room.unsent:
                    self._history.note("info", self.name, place.room.id, frame["ref"])
        super().receive(frame)

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        async with self, asyncio.TaskGroup() as group:
            for place in self.places.values():
                group.create_task(place.follow())
            await asyncio.Event().wait()
