"""The checker finds what it is for: each kind of violation, made up."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.faults.checker import Frame, History, View, violations

LOG: list[Frame] = [
    {"seq": 1, "id": "e1", "type": "conversation:new", "data": {}},
    {"seq": 2, "id": "e2", "type": "message:new", "cmid": "m1", "data": {"run": "r", "message": "said"}},
    {"seq": 3, "id": "e3", "type": "run:start", "data": {"run": "r", "message": "answer"}},
    {"seq": 4, "id": "e4", "type": "run:end", "data": {"run": "r", "text": "Hello"}},
    {"seq": 5, "id": "e5", "type": "message:new", "cmid": "m2", "data": {"message": "more"}},
]


def truth() -> tuple[History, list[Frame]]:
    history = History()
    history.note("invoke", "a", "c", "m1")
    history.note("ok", "a", "c", "m1", 2)
    history.note("invoke", "b", "c", "m2")
    history.note("info", "b", "c", "m2")
    history.note("invoke", "b", "c", "m3")
    for client in "ab":
        view = history.view(client, "c")
        view.applied = [(event["seq"], event["id"]) for event in LOG]
        view.texts = {"r": "Hello"}
    return history, deepcopy(LOG)


def test_the_truth_holds() -> None:
    history, log = truth()
    assert violations(history, {"c": log}) == []


def resynced(view: View, shown: list[tuple[int, str]]) -> None:
    """Have a client hold the log up to 4 by a snapshot."""
    view.begin_anew(4, shown)
    view.applied.append((5, "e5"))


def test_a_snapshot_and_what_follows_are_the_truth_too() -> None:
    history, log = truth()
    resynced(history.views[0], [(2, "said")])
    assert violations(history, {"c": log}) == []


Change = Callable[[History, list[Frame]], object]
LIES: dict[str, tuple[str, Change]] = {
    "an acknowledged message is not there": ("a", lambda history, log: log[1].update(cmid="m3")),
    "an acknowledged message is elsewhere": ("a", lambda history, log: history.note("ok", "a", "c", "m2", 4)),
    "a message is there twice": ("b", lambda history, log: log[4].update(cmid="m1")),
    "a refused message is there": ("b", lambda history, log: history.note("fail", "b", "c", "m2")),
    "a message comes from nowhere": ("b", lambda history, log: log[4].update(cmid="m9")),
    "a hole": ("c", lambda history, log: log.pop(2)),
    "a number twice": ("c", lambda history, log: log[3].update(seq=3)),
    "a client misses the end": ("d", lambda history, log: history.views[0].applied.pop()),
    "a client applied twice": ("d", lambda history, log: history.views[0].applied.append((5, "e5"))),
    "a client applied in another order": ("d", lambda history, log: history.views[0].applied.reverse()),
    "a client applied another event": ("d", lambda history, log: history.views[0].applied.__setitem__(0, (1, "x"))),
    "a snapshot shows what never was": ("d", lambda history, log: resynced(history.views[0], [(2, "x")])),
    "a snapshot is applied twice": ("d", lambda history, log: history.views[0].__setattr__("after", 2)),
    "clients differ": ("e", lambda history, log: history.views[1].applied.pop(0)),
    "a text differs": ("f", lambda history, log: history.views[1].texts.update(r="Hell")),
    "a text is missing": ("f", lambda history, log: history.views[1].texts.clear()),
    "a text of no run": ("f", lambda history, log: history.views[1].texts.update(x="")),
}


@pytest.mark.parametrize(("kind", "lie"), LIES.values(), ids=LIES.keys())
def test_a_lie_is_found(kind: str, lie: Change) -> None:
    history, log = truth()
    lie(history, log)
    assert any(found.startswith(f"({kind})") for found in violations(history, {"c": log}))
