"""Counting: what was sent, and what of it arrived, when.

Every text begins with a marker, `@@` and the microsecond at which it was sent in twelve hexadecimal digits, so that
it is found in any framing, and in batches, without parsing JSON.
"""

import time
from collections import Counter

MARK = b"@@"
STAMP_DIGITS = 12
# How our protocol says that a message is stored.
ACKNOWLEDGED = b'"type":"sent"'
# What may come in one frame with messages and is not to be overlooked.
OTHERS = (b'"type":"error"', b'"type":"joined"')


def microseconds() -> int:
    return time.monotonic_ns() // 1000


class Tally:
    """What was sent since it was made, and what of that arrived.

    A frame is read once, however many members it is sent to: whoever counts must not be slower than who is counted.
    """

    def __init__(self) -> None:
        self.start = microseconds()
        self.sent = self.arrived = self.acknowledged = 0
        self._sent_sum = 0
        # When each frame came, in nanoseconds, and the stamps in it.
        self._frames: list[tuple[int, list[int]]] = []
        self._read_before: dict[bytes, tuple[list[int], int, bool]] = {}

    def mark(self) -> bytes:
        """The beginning of a text that is sent now."""
        stamp = microseconds()
        self.sent += 1
        self._sent_sum += stamp
        return b"%s%012x" % (MARK, stamp)

    def note(self, payload: bytes) -> bool:
        """Count the messages and acknowledgements in a frame; whether there may be anything else in it."""
        found = self._read_before.get(payload)
        if found is None:
            found = self._read_before[payload] = self._read(payload)
        stamps, acknowledged, more = found
        self.acknowledged += acknowledged
        if stamps:
            self._frames.append((time.monotonic_ns(), stamps))
            self.arrived += len(stamps)
        return more

    def _read(self, payload: bytes) -> tuple[list[int], int, bool]:
        """Stamps, without those of the time before; acknowledgements; whether there is more."""
        all_stamps = [int(part[:STAMP_DIGITS], 16) for part in payload.split(MARK)[1:]]
        stamps, acknowledged = [stamp for stamp in all_stamps if stamp >= self.start], payload.count(ACKNOWLEDGED)
        more = not (all_stamps or acknowledged) or any(other in payload for other in OTHERS)
        return stamps, acknowledged, more

    def lost(self, members: int) -> int:
        """Deliveries that are missing, where each message goes to so many; negative: some came twice.

        The sums of the stamps agree only where everything arrived exactly as often as it should.
        """
        missing = self.sent * members - self.arrived
        arrived_sum = sum(sum(stamps) for _, stamps in self._frames)
        return missing or int(self._sent_sum * members != arrived_sum)

    def taken(self) -> list[int]:
        """Microseconds that each delivery was under way, sorted."""
        return sorted(came // 1000 - stamp for came, stamps in self._frames for stamp in stamps)

    def last(self) -> int:
        """The microsecond of the last arrival."""
        return self._frames[-1][0] // 1000 if self._frames else self.start


class Board:
    """What all sockets of a load write on: the present tally, and what went wrong."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.closed_early = 0
        self.errors: Counter[str] = Counter()
