"""A conversation as the Python client follows it: each event once and in order, answers as they grow, and
what is not acknowledged yet (PROTOCOL.md section 4, "Resume"). Needs neither Django nor the server's code."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

Frame = dict[str, Any]
FETCH_LIMIT = 200


class Refused(Exception):
    """The server said no, for good; `code` is one of PROTOCOL.md section 6."""

    def __init__(self, error: Frame) -> None:
        self.code: str = error["code"]
        self.error = error
        super().__init__(f"{self.code}: {error.get('message') or error.get('detail')}")


class Room:
    """Iterate over it for what happens: events of the log (each once, in order), `delta` (only what is new),
    `resync` (throw away what you hold and take `snapshot.state`), and the frames that are not in the log.

    `epoch` and `seq` are the cursor: give them to `Client.join` to go on from there another day.
    """

    def __init__(self, id: str, say: Callable[[Frame], None], epoch: str | None, seq: int | None) -> None:
        self.id = id
        self.epoch, self.seq = epoch, seq
        self.head = seq or 0
        self.role: str | None = None
        self.members: list[Frame] = []
        self.online = 0
        self.state: Frame = {}
        self.error: Refused | None = None
        self.unsent: dict[str, tuple[Frame, asyncio.Future[Frame]]] = {}
        self._say = say
        self._held: dict[str, str] = {}
        self._ended: set[str] = set()
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while (frame := await self._frames.get()) is not None:
            yield frame

    async def send(self, text: str, *, cmid: str | None = None, **fields: Any) -> Frame:
        """Say something; returns `sent` once it is stored, however often the connection drops until then.

        `fields` are those of the `send` frame (`assistant`, `reply_to`, `on_busy`, …). Raises Refused.
        """
        cmid = cmid or str(uuid.uuid4())
        frame = {"type": "send", "ref": cmid, "conversation": self.id, "cmid": cmid, "text": text, **fields}
        done: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self.unsent[cmid] = frame, done
        self._say(frame)
        return await done

    def typing(self, *, on: bool) -> None:
        self._say({"type": "typing", "conversation": self.id, "on": on})

    def read(self, seq: int) -> None:
        """Everything up to `seq` was read."""
        self._say({"type": "read", "conversation": self.id, "seq": seq})

    def text(self, run: str) -> str | None:
        """The text so far of a running answer."""
        return self._held.get(run)

    def where(self) -> Frame:
        """The cursor, for `hello.resume` and `join`."""
        if self.seq is None:
            return {"conversation": self.id}
        runs = {run: len(text) for run, text in self._held.items()}
        return {"conversation": self.id, "epoch": self.epoch, "seq": self.seq, "runs": runs}

    def close(self, error: Refused | None = None) -> None:
        """Nothing more comes: iteration ends, what is unsent fails."""
        self.error = error
        self._frames.put_nowait(None)
        for _, done in self.unsent.values():
            if not done.done():
                done.set_exception(error or ConnectionError("the client was closed"))
        self.unsent.clear()

    # ---- frames

    def receive(self, frame: Frame) -> None:
        """Take one frame of this conversation."""
        if "data" in frame:
            return self._apply([frame])
        known = {
            "joined": self._joined,
            "catchup": lambda frame: self._apply(frame["events"]),
            "page": lambda frame: self._apply(frame["events"]),
            "resync": self._resync,
            "delta": self._delta,
            "sent": self._sent,
        }
        known.get(frame["type"], self._tell)(frame)
        return None

    def _tell(self, frame: Frame) -> None:
        if frame["type"] in ("user:join", "user:leave"):
            self.online = frame["online"]
        elif frame["type"] == "state:set":
            self.state[frame["key"]] = frame
        self._frames.put_nowait(frame)

    def _joined(self, frame: Frame) -> None:
        self.role, self.members, self.online = frame["role"], frame["members"], frame["online"]
        self.state, self.head = frame["state"], frame["head"]
        if not frame.get("reason"):
            self.epoch = frame["epoch"]
        self._frames.put_nowait(frame)

    def _resync(self, frame: Frame) -> None:
        self._held.clear()
        self.epoch, self.seq, self.head = frame["epoch"], frame["snapshot"]["seq"], frame["head"]
        self._frames.put_nowait(frame)

    def _apply(self, events: list[Frame]) -> None:
        for event in events:
            if self.seq is None:
                self.seq = event["seq"] - 1
            if event["seq"] > self.seq + 1:
                return self._fetch()
            if event["seq"] == self.seq + 1:
                self._take(event)
        return None

    def _take(self, event: Frame) -> None:
        self.seq = event["seq"]
        self.head = max(self.head, event["seq"])
        if event["type"] == "run:start":
            self._held.setdefault(event["data"]["run"], "")
        elif event["type"] == "run:end":
            self._held.pop(event["data"]["run"], None)
            self._ended.add(event["data"]["run"])
        self._frames.put_nowait(event)

    def _fetch(self) -> None:
        self._say({"type": "fetch", "ref": f"fetch:{self.seq}", "conversation": self.id, "after_seq": self.seq,
                   "limit": FETCH_LIMIT})  # fmt: skip

    def _delta(self, frame: Frame) -> None:
        if frame["run"] in self._ended:
            return
        # One that began before what this room holds (a resync, or the newest page only) is sent from its beginning.
        held = self._held.setdefault(frame["run"], "")
        if frame["offset"] > len(held):
            self._say({"type": "attach", "ref": f"attach:{frame['run']}", "run": frame["run"], "offset": len(held)})
            return
        fresh = frame["text"][len(held) - frame["offset"] :]
        if fresh:
            self._held[frame["run"]] = held + fresh
            self._frames.put_nowait({**frame, "offset": len(held), "text": fresh})

    def _sent(self, frame: Frame) -> None:
        _, done = self.unsent.pop(frame["cmid"], (None, None))
        if done and not done.done():
            done.set_result(frame)

    def refused(self, ref: str, error: Frame) -> bool:
        """Whether `ref` is a message of this room; a retryable error leaves it unsent."""
        if ref not in self.unsent:
            return False
        if not error.get("retryable"):
            _, done = self.unsent.pop(ref)
            if not done.done():
                done.set_exception(Refused(error))
        return True

    def say_unsent(self) -> None:
        """Say again what was not acknowledged, under the same cmid."""
        for frame, _ in list(self.unsent.values()):
            self._say(frame)
