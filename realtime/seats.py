"""The connections of one process in one conversation, and the sub-rooms that they sit in."""

import asyncio
from collections import Counter, deque


class Seats:
    """`held` counts the seats of this process by sub-room: those of `sitting`, and `reserved` ones of who is coming.

    `asking` are those who wait to be told whether there is a seat for them.
    """

    def __init__(self) -> None:
        self.held: Counter[int] = Counter()
        self.sitting: dict[object, int] = {}
        self.reserved = 0
        self.asking: deque[asyncio.Future[bool]] = deque()
        self._occupied: Counter[int] = Counter()

    @property
    def empty(self) -> bool:
        """Whether nobody is here or coming."""
        return not self.sitting and not self.reserved and not self.asking

    @property
    def lowest(self) -> int | None:
        """The first sub-room with a seat of this process: where it listens for all of them."""
        return min(+self.held, default=None)

    def sit(self, member: object) -> int:
        """Somebody takes a reserved seat; its sub-room."""
        self.reserved -= 1
        shard = min(self._free())
        self._place(member, shard)
        return shard

    def stand_up(self, member: object) -> None:
        """Somebody is gone, and so is the seat."""
        shard = self.sitting.pop(member)
        self._occupied[shard] -= 1
        self.held[shard] -= 1

    def cancel(self) -> None:
        """Somebody who was coming does not come."""
        self.reserved -= 1
        self._give_up(1)

    def reserve_here(self, size: int) -> None:
        """Reserve a seat without knowing of other processes."""
        self.held[next(shard for shard in range(len(self.held) + 1) if self.held[shard] < size)] += 1
        self.reserved += 1

    def take_over(self, held: Counter[int]) -> bool:
        """Have the seats that all processes agreed on, as many as are needed at least; whether some were too many.

        Whoever sits where another process has taken the place moves to another sub-room.
        """
        self.held = +held
        if self._occupied - self.held:
            self._move()
        surplus = self.held.total() - len(self.sitting) - self.reserved
        self._give_up(surplus)
        return surplus > 0

    def _move(self) -> None:
        """Have those who have no seat any more sit where there is one."""
        for member, shard in list(self.sitting.items()):
            if self._occupied[shard] > self.held[shard]:
                self._occupied[shard] -= 1
                self._place(member, min(self._free()))

    def _place(self, member: object, shard: int) -> None:
        self.sitting[member] = shard
        self._occupied[shard] += 1

    def _free(self) -> Counter[int]:
        return self.held - self._occupied

    def _give_up(self, count: int) -> None:
        """Let go of free seats, those of the last sub-rooms first, so that these get empty."""
        for shard, free in sorted(self._free().items(), reverse=True):
            self.held[shard] -= min(free, count)
            count -= min(free, count)
