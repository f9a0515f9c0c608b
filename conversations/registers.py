"""Last-writer-wins registers with vector clocks: the shared state of a room (PROTOCOL.md section 7).

`merge` is commutative, associative and idempotent, so replicas that saw the same writes in any order agree
(Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data Types", 2011, LWW-Register).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

Vector = Mapping[str, int]
# A writer's clock counts only so far from the server's, in milliseconds.
SKEW_MS = 5000


@dataclass(frozen=True)
class Clock:
    """`vector` counts the writes seen of each client; `wall` is in milliseconds since 1970."""

    vector: Vector
    wall: int


@dataclass(frozen=True)
class Register:
    """A value, when and by which client it was written; `author` is carried along."""

    value: Any
    clock: Clock
    client_id: str
    author: Any = None

    @property
    def rank(self) -> tuple[int, str, str]:
        """The larger one wins; the last part only orders what no honest client writes (the same clock twice)."""
        return self.clock.wall, self.client_id, json.dumps([self.value, self.author], sort_keys=True, default=str)


class Relation(Enum):
    """How a write stands to what is there."""

    SAME = "same"
    SUCCESSOR = "successor"
    PREDECESSOR = "predecessor"
    CONFLICT = "conflict"


def relation(new: Vector, old: Vector) -> Relation:
    """Compare two vectors; what a vector does not name counts 0."""
    ahead = any(count > old.get(client, 0) for client, count in new.items())
    behind = any(count > new.get(client, 0) for client, count in old.items())
    if ahead and behind:
        return Relation.CONFLICT
    if ahead:
        return Relation.SUCCESSOR
    return Relation.PREDECESSOR if behind else Relation.SAME


def admitted(write: Register, current: Register | None, now_ms: int) -> Register:
    """`write` with its wall clock within SKEW_MS of `now_ms`, and above that of the register that it follows."""
    wall = min(max(write.clock.wall, now_ms - SKEW_MS), now_ms + SKEW_MS)
    if current and relation(write.clock.vector, current.clock.vector) is Relation.SUCCESSOR:
        wall = max(wall, current.clock.wall + 1)
    return replace(write, clock=replace(write.clock, wall=wall))


def merge(one: Register, other: Register) -> Register:
    """The winner of two registers, which has seen what both have seen."""
    winner = max(one, other, key=lambda register: register.rank)
    clients = one.clock.vector.keys() | other.clock.vector.keys()
    seen = {client: max(one.clock.vector.get(client, 0), other.clock.vector.get(client, 0)) for client in clients}
    return replace(winner, clock=replace(winner.clock, vector=seen))
