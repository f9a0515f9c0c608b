"""A client by the book (PROTOCOL.md section 4), which writes down what it did and saw.

It reconnects wherever it can, resumes by cursor, fetches what is missing, attaches to answers, keeps what
is not acknowledged and sends it again under the same cmid.
"""

import asyncio
import json
from contextlib import suppress
from random import Random
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from chatproject.lib.ids import new_id
from tests.faults.checker import Frame, History, View

GONE = (OSError, WebSocketException, TimeoutError)
OPEN_SECONDS = 5
ACK_SECONDS = 1


class Place:
    """A conversation at this client: how far it applied the log, and what it holds of running answers."""

    def __init__(self, view: View) -> None:
        self.id = view.conversation
        self.view = view
        self.epoch: str | None = None
        self.held: dict[str, str] = {}
        self.unsent: dict[str, Frame] = {}

    @property
    def seq(self) -> int:
        return self.view.applied[-1][0] if self.view.applied else 0

    def point(self) -> Frame:
        """Where it is, for `hello`."""
        runs = {run: len(text) for run, text in self.held.items()}
        return {"conversation": self.id, "epoch": self.epoch, "seq": self.seq, "runs": runs}

    def apply(self, event: Frame) -> bool:
        """Apply the next event, ignore an old one; False where something before it is missing."""
        if event["seq"] > self.seq + 1:
            return False
        if event["seq"] <= self.seq:
            return True
        self.view.applied.append((event["seq"], event["id"]))
        if event["type"] == "run:start":
            self.held[event["data"]["run"]] = ""
        elif event["type"] == "run:end":
            self._end(event["data"])
        return True

    def _end(self, data: Frame) -> None:
        text = data.get("text") or ""
        held = self.held.pop(data["run"], "")
        # What is held of a running answer is always a prefix of its end; a lie is kept for the checker.
        self.view.texts[data["run"]] = text if text.startswith(held) else held

    def append(self, delta: Frame) -> bool:
        """Take a piece of an answer, cutting what overlaps; False where something before it is missing."""
        held = self.held.get(delta["run"])
        if held is None:
            return True
        if delta["offset"] > len(held):
            return False
        self.held[delta["run"]] = held + delta["text"][len(held) - delta["offset"] :]
        return True


class Client:
    """One person at one device."""

    def __init__(self, name: str, token: str, addresses: list[str], history: History, seed: int) -> None:
        self.name = name
        self.places: dict[str, Place] = {}
        self.connections = 0
        self._token = token
        self._addresses = addresses
        self._history = history
        self._random = Random(seed)
        self._socket: ClientConnection | None = None
        self._welcomed = False
        self._received = self._acked = 0

    def enter(self, conversation: str) -> None:
        """Take part in a conversation, from its beginning."""
        self.places[conversation] = Place(self._history.view(self.name, conversation))

    def ready(self) -> bool:
        """Whether it is connected and was welcomed."""
        return self._welcomed

    def has(self, conversation: str, seq: int) -> bool:
        """Whether it applied everything up to `seq`."""
        return self.places[conversation].seq >= seq

    @property
    def settled(self) -> bool:
        """Whether everything was acknowledged."""
        return not any(place.unsent for place in self.places.values())

    async def send(self, conversation: str, text: str, **fields: Any) -> str:
        """Say something now, or as soon as there is a connection; its cmid."""
        cmid = str(new_id())
        frame = {"type": "send", "ref": cmid, "conversation": conversation, "cmid": cmid, "text": text, **fields}
        self._history.note("invoke", self.name, conversation, cmid)
        self.places[conversation].unsent[cmid] = frame
        if self._welcomed:
            await self._say(frame)
        return cmid

    async def run(self) -> None:
        """Stay connected, to any of the addresses, until cancelled."""
        while True:
            with suppress(*GONE):
                await self._visit(self._random.choice(self._addresses))
            self._welcomed, self._socket = False, None
            await asyncio.sleep(self._random.uniform(0.05, 0.3))

    async def _visit(self, address: str) -> None:
        async with connect(address, open_timeout=OPEN_SECONDS, close_timeout=1, ping_interval=None) as socket:
            self._socket, self._received, self._acked = socket, 0, 0
            self.connections += 1
            resume = [place.point() for place in self.places.values()]
            await self._say({"type": "hello", "v": 1, "client_id": self.name, "token": self._token, "resume": resume})
            ticker = asyncio.create_task(self._tick())
            try:
                async for message in socket:
                    self._received += 1
                    found = json.loads(message)
                    for frame in found if isinstance(found, list) else [found]:
                        await self._hear(frame)
                    if self._received - self._acked >= 10:
                        await self._ack()
            finally:
                ticker.cancel()

    async def _tick(self) -> None:
        """Acknowledge after a second at the latest."""
        with suppress(*GONE):
            while True:
                await asyncio.sleep(ACK_SECONDS)
                await self._ack()

    async def _ack(self) -> None:
        if self._received > self._acked:
            self._acked = self._received
            await self._say({"type": "ack", "n": self._received})

    async def _say(self, frame: Frame) -> None:
        if self._socket:
            with suppress(*GONE):
                await self._socket.send(json.dumps(frame))

    async def _hear(self, frame: Frame) -> None:
        handler = getattr(self, f"_on_{frame['type']}", None)
        if handler:
            await handler(frame)
        elif "data" in frame:
            await self._apply(frame["conversation"], [frame])

    async def _on_welcome(self, frame: Frame) -> None:
        assert all(entry["ok"] for entry in frame["resumed"]), frame["resumed"]
        self._welcomed = True
        for place in self.places.values():
            for unsent in list(place.unsent.values()):
                await self._say(unsent)

    async def _on_joined(self, frame: Frame) -> None:
        self.places[frame["conversation"]].epoch = frame["epoch"]

    async def _on_catchup(self, frame: Frame) -> None:
        await self._apply(frame["conversation"], frame["events"])

    async def _on_page(self, frame: Frame) -> None:
        await self._apply(frame["conversation"], frame["events"])

    async def _on_heartbeat(self, frame: Frame) -> None:
        await self._say({"type": "pong", "n": frame["n"]})

    async def _on_delta(self, frame: Frame) -> None:
        place = self.places[frame["conversation"]]
        if not place.append(frame):
            offset = len(place.held[frame["run"]])
            await self._say({"type": "attach", "ref": "attach", "run": frame["run"], "offset": offset})

    async def _on_sent(self, frame: Frame) -> None:
        if self.places[frame["conversation"]].unsent.pop(frame["cmid"], None):
            self._history.note("ok", self.name, frame["conversation"], frame["cmid"], frame["seq"])

    async def _on_error(self, frame: Frame) -> None:
        for place in self.places.values():
            unsent = place.unsent.get(frame.get("ref", ""))
            if unsent and frame["retryable"]:
                self._history.note("info", self.name, place.id, unsent["cmid"])
                await asyncio.sleep(0.2)
                await self._say(unsent)
            elif unsent:
                del place.unsent[unsent["cmid"]]
                self._history.note("fail", self.name, place.id, unsent["cmid"])

    async def _apply(self, conversation: str, events: list[Frame]) -> None:
        place = self.places[conversation]
        if not all(place.apply(event) for event in events):
            await self._say({
                "type": "fetch", "ref": "fetch", "conversation": conversation, "after_seq": place.seq, "limit": 200,
            })  # fmt: skip
