"""Says whether what clients saw and what the log holds can both be true (in the manner of Jepsen).

Clients write down what they did and saw; at the end `violations` compares that with the log:
(a) every acknowledged cmid is in the log once, under its number;
(b) an unacknowledged one is there once at most;
(c) the numbers are 1..head without a hole;
(d) every client applied exactly the log, in order, nothing twice;
(e) so all clients that were in a conversation saw the same;
(f) the text of every run is the same at the server and at every client.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Frame = dict[str, Any]
Kind = Literal["invoke", "ok", "fail", "info"]


@dataclass(frozen=True)
class Operation:
    """One thing that happened to a message: it was sent, acknowledged, refused, or its outcome is not known."""

    kind: Kind
    client: str
    conversation: str
    cmid: str
    seq: int = 0
    at: float = field(default_factory=time.monotonic)


@dataclass
class View:
    """What one client applied of one conversation: (seq, id) in the order of applying, and texts of runs.

    After a `resync` it holds the log up to `after` as a snapshot, of which `shown` are the messages (seq, id).
    """

    client: str
    conversation: str
    after: int = 0
    shown: list[tuple[int, str]] = field(default_factory=list)
    applied: list[tuple[int, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)

    def begin_anew(self, seq: int, shown: list[tuple[int, str]]) -> None:
        """Throw away what was applied: a snapshot takes its place."""
        self.after, self.shown = seq, shown
        self.applied.clear()
        self.texts.clear()


@dataclass
class History:
    """Everything that the clients wrote down."""

    operations: list[Operation] = field(default_factory=list)
    views: list[View] = field(default_factory=list)

    def note(self, kind: Kind, client: str, conversation: str, cmid: str, seq: int = 0) -> None:
        self.operations.append(Operation(kind, client, conversation, cmid, seq))

    def view(self, client: str, conversation: str) -> View:
        """A new view, to be filled by its client."""
        self.views.append(View(client, conversation))
        return self.views[-1]

    def of(self, kind: Kind) -> list[Operation]:
        return [operation for operation in self.operations if operation.kind == kind]


def violations(history: History, logs: Mapping[str, Sequence[Frame]]) -> list[str]:
    """One sentence for everything that cannot be; empty where all is well."""
    return [
        *_acknowledged(history, logs),
        *_unacknowledged(history, logs),
        *_numbers(logs),
        *_applied(history, logs),
        *_agreement(history),
        *_texts(history, logs),
    ]


def _places(log: Sequence[Frame]) -> dict[str, list[int]]:
    """cmid -> the numbers under which it is in a log."""
    places: dict[str, list[int]] = {}
    for event in log:
        if event["type"] == "message:new":
            places.setdefault(event["cmid"], []).append(event["seq"])
    return places


def _acknowledged(history: History, logs: Mapping[str, Sequence[Frame]]) -> Iterator[str]:
    places = {conversation: _places(log) for conversation, log in logs.items()}
    for operation in history.of("ok"):
        found = places[operation.conversation].get(operation.cmid, [])
        if found != [operation.seq]:
            yield f"(a) {operation.cmid} was acknowledged as {operation.seq} and is in the log as {found}"


def _unacknowledged(history: History, logs: Mapping[str, Sequence[Frame]]) -> Iterator[str]:
    refused = {operation.cmid for operation in history.of("fail")}
    known = {operation.cmid for operation in history.of("invoke")}
    for log in logs.values():
        for cmid, found in _places(log).items():
            if len(found) > 1:
                yield f"(b) {cmid} is in the log {len(found)} times"
            if cmid in refused:
                yield f"(b) {cmid} was refused and is in the log"
            if cmid not in known:
                yield f"(b) {cmid} was never sent"


def _numbers(logs: Mapping[str, Sequence[Frame]]) -> Iterator[str]:
    for conversation, log in logs.items():
        if [event["seq"] for event in log] != list(range(1, len(log) + 1)):
            yield f"(c) the numbers of {conversation} are not 1..{len(log)}"


def _applied(history: History, logs: Mapping[str, Sequence[Frame]]) -> Iterator[str]:
    for view in history.views:
        log = [(event["seq"], event["id"]) for event in logs[view.conversation]]
        if view.applied != log[view.after :]:
            yield f"(d) {view.client} applied {_difference(view.applied, log[view.after :])} of {view.conversation}"
        said = {(event["seq"], event["data"]["message"]) for event in logs[view.conversation] if _says(event)}
        if not said.issuperset(view.shown):
            yield f"(d) {view.client} was shown what is not in {view.conversation}: {set(view.shown) - said}"


def _says(event: Frame) -> bool:
    return event["type"] in ("message:new", "run:start")


def _difference(applied: Sequence[tuple[int, str]], log: Sequence[tuple[int, str]]) -> str:
    seqs = Counter(seq for seq, _ in applied)
    doubled = [seq for seq, count in seqs.items() if count > 1]
    missing = [seq for seq, _ in log if seq not in seqs]
    order = "in order" if list(applied) == sorted(applied) else "out of order"
    return f"{len(applied)} of {len(log)} events ({order}; missing {missing[:5]}, doubled {doubled[:5]})"


def _agreement(history: History) -> Iterator[str]:
    first: dict[str, View] = {}
    for view in history.views:
        other = first.setdefault(view.conversation, view)
        if view.after == other.after and view.applied != other.applied:
            yield f"(e) {view.client} and {other.client} saw {view.conversation} differently"


def _texts(history: History, logs: Mapping[str, Sequence[Frame]]) -> Iterator[str]:
    for view in history.views:
        log = logs[view.conversation][view.after :]
        ends = [event["data"] for event in log if event["type"] == "run:end"]
        texts = {end["run"]: end.get("text") or "" for end in ends}
        for run in texts.keys() | view.texts.keys():
            if view.texts.get(run) != texts.get(run):
                yield f"(f) {view.client} has {view.texts.get(run)!r:.80} for run {run}, the log {texts.get(run)!r:.80}"
