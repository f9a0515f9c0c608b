"""What checkpoints cost: `python -m bench.checkpoint [--changed 1000] [--existing 5000] [--events 40]`.

Prints the time of the periodic job for so many changed conversations, each with a snapshot from before, and of
one that finds nothing to do among all that exist, so that cost follows what changed and not what exists.
"""

import argparse
import time
from collections.abc import Callable

from bench.product import running


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--changed", type=int, default=1000, help="conversations that changed")
    options.add_argument("--existing", type=int, default=5000, help="conversations that exist beside them")
    options.add_argument("--events", type=int, default=40, help="of each that changes, before")
    given = options.parse_args()
    with running():
        measure(given.changed, given.existing, given.events)


def measure(changed: int, existing: int, events: int) -> None:
    # Django's models can be imported only now.
    from bench import filling
    from conversations.services import messages, snapshots

    user = filling.somebody()
    places = [filling.conversation(user, events) for _ in range(changed)]
    report("first checkpoint", snapshots.checkpoint, changed)
    few, rest = places[: changed // 10], existing
    for place in places:
        messages.send(user=user, conversation=place, text="Something new.", cmid="new").result(60)
    report(f"{changed} of {changed} changed", snapshots.checkpoint, changed)
    for _ in range(rest):
        filling.conversation(user, 4)
    snapshots.checkpoint()
    for place in few:
        messages.send(user=user, conversation=place, text="Something newer.", cmid="newer").result(60)
    report(f"{len(few)} of {changed + rest} changed", snapshots.checkpoint, len(few))
    report(f"nothing of {changed + rest} changed", snapshots.checkpoint, 0)


def report(what: str, work: Callable[[], int], expected: int) -> None:
    """Do it until nothing is left, and print how long that took."""
    began, done = time.perf_counter(), 0
    while found := work():
        done += found
    seconds = time.perf_counter() - began
    assert done == expected, f"{done} checkpoints instead of {expected}"
    each = f"{1000 * seconds / done:8.1f} ms each" if done else ""
    print(f"{what:<30} {1000 * seconds:10.1f} ms {each}", flush=True)


if __name__ == "__main__":
    main()
