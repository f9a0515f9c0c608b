"""Whether the events of a file can follow each other: what the log's writers see to, looked at once more."""

from datetime import UTC, datetime, timedelta
from typing import Any

from chatproject.lib import clock
from conversations.transfer.lines import Line

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
# How far the clock of the machine that wrote a file may be ahead of ours; later events take such a time over.
AHEAD = timedelta(minutes=5)


class Story:
    """The events so far: numbers, times, and what can be referred to. `tell` raises ValueError for what cannot be."""

    def __init__(self) -> None:
        self.at = BEGINNING
        self._latest = clock.now() + AHEAD
        self._seq = 0
        self._conversation = ""
        # Number and group of alternatives, by id.
        self._messages: dict[str, tuple[int, str]] = {}
        self._runs: dict[str, str | None] = {}
        self._queued: dict[str, None] = {}
        self._active: str | None = None
        self._waits_for: str | None = None

    def tell(self, line: Line) -> None:
        self._in_order(line)
        self._in_time(line)
        follow = getattr(self, "_" + line.type.replace(":", "_"), self._refers)
        follow(line.data)

    def unfinished(self) -> list[tuple[str, str | None]]:
        """Runs that have not ended, and their messages where they have begun, in the order of their events."""
        running = [self._active] if self._active else []
        return [(run, self._runs[run]) for run in [*running, *self._queued]]

    def _in_order(self, line: Line) -> None:
        self._seq += 1
        if line.seq != self._seq:
            raise ValueError(f"seq {self._seq} was expected here, not {line.seq}")
        if (line.type == "conversation:new") != (self._seq == 1):
            raise ValueError("conversation:new comes first, and once")
        self._conversation = self._conversation or line.conversation
        if line.conversation != self._conversation:
            raise ValueError("this is an event of another conversation")

    def _in_time(self, line: Line) -> None:
        if not self.at <= line.at <= self._latest:
            raise ValueError("the time is before that of the event in front, before 1970, or in the future")
        self.at = line.at

    def _message_new(self, data: dict[str, Any]) -> None:
        self._new_message(data["message"], data.get("reply_to"))
        if data.get("run"):
            self._new_run(data["run"])
            if not data.get("assistant"):
                raise ValueError("a run needs an assistant")

    def _run_queue(self, data: dict[str, Any]) -> None:
        self._message(data["reply_to"])
        self._message(data.get("branch_of"))
        if self._messages[data["reply_to"]][0] != data["reply_seq"]:
            raise ValueError("reply_seq is not the seq of reply_to")
        self._new_run(data["run"])

    def _branch_select(self, data: dict[str, Any]) -> None:
        self._message(data["message"])
        if self._messages[data["message"]][1] != data["branch_of"]:
            raise ValueError("branch_of is not the group of this message")

    def _run_start(self, data: dict[str, Any]) -> None:
        if data["run"] not in self._queued or self._active:
            raise ValueError("this run does not wait, or another one is active")
        self._message(data["reply_to"])
        self._message(data.get("branch_of"))
        self._new_message(data["message"], None, data.get("branch_of"))
        del self._queued[data["run"]]
        self._runs[data["run"]], self._active = data["message"], data["run"]

    def _run_end(self, data: dict[str, Any]) -> None:
        run = data["run"]
        if run not in self._queued and run != self._active:
            raise ValueError("this run has ended, or never began")
        if data["message"] != self._runs[run]:
            raise ValueError("this is not the message of the run")
        self._queued.pop(run, None)
        if run == self._active:
            self._active = self._waits_for = None

    def _run_step(self, data: dict[str, Any]) -> None:
        if data["run"] != self._active:
            raise ValueError("this run is not active")

    def _run_ask(self, data: dict[str, Any]) -> None:
        self._run_step(data)
        self._waits_for = data["step"]

    def _run_answer(self, data: dict[str, Any]) -> None:
        self._run_step(data)
        if data["step"] != self._waits_for:
            raise ValueError("this was not asked, or was answered")
        self._waits_for = None

    def _conversation_restore(self, data: dict[str, Any]) -> None:
        if not 1 <= data["to_seq"] < self._seq:
            raise ValueError("to_seq must be that of an event before")

    def _refers(self, data: dict[str, Any]) -> None:
        self._message(data.get("message"))

    def _new_message(self, id_: str, reply_to: str | None, group: str | None = None) -> None:
        self._message(reply_to)
        if id_ in self._messages:
            raise ValueError("this message was there before")
        self._messages[id_] = self._seq, group or id_

    def _new_run(self, id_: str) -> None:
        if id_ in self._runs:
            raise ValueError("this run was there before")
        self._runs[id_] = None
        self._queued[id_] = None

    def _message(self, id_: str | None) -> None:
        if id_ is not None and id_ not in self._messages:
            raise ValueError("it refers to a message that is not there before")
