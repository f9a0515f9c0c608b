"""Counting: what was sent, and what of it arrived, when.

Every text begins with a marker, `@@` and the microsecond at which it was sent in twelve hexadecimal digits, so that
it is found in any framing, and in batches, without parsing JSON.
"""

import time
from array import array
from collections import Counter

MARK = b"@@"
STAMP_DIGITS = 12


def microseconds() -> int:
    return time.monotonic_ns() // 1000


class Tally:
    """What was sent since it was made, and what of that arrived."""

    def __init__(self) -> None:
        self.start = microseconds()
        self.sent = self.acknowledged = self.frames = 0
        # Sums of stamps: they agree only where everything arrived as often as it should.
        self.sent_sum = self.arrived_sum = 0
        # Microseconds that each delivery was under way.
        self.taken = array("q")
        self.last = self.start

    def mark(self) -> bytes:
        """The beginning of a text that is sent now."""
        stamp = microseconds()
        self.sent += 1
        self.sent_sum += stamp
        return b"%s%012x" % (MARK, stamp)

    def note(self, payload: bytes) -> bool:
        """Count the messages in a frame; whether there were any."""
        parts = payload.split(MARK)
        if len(parts) == 1:
            return False
        now = microseconds()
        stamps = [int(part[:STAMP_DIGITS], 16) for part in parts[1:]]
        if stamps[0] < self.start:  # late ones of the time before
            stamps = [stamp for stamp in stamps if stamp >= self.start]
        self.arrived_sum += sum(stamps)
        self.taken.extend([now - stamp for stamp in stamps])
        self.frames += 1
        self.last = now
        return True

    def lost(self, members: int) -> int:
        """Deliveries that are missing, where each message goes to so many; negative: some came twice."""
        missing = self.sent * members - len(self.taken)
        return missing or int(self.sent_sum * members != self.arrived_sum)


class Board:
    """What all sockets of a load write on: the present tally, and what went wrong."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.closed_early = 0
        self.errors: Counter[str] = Counter()
