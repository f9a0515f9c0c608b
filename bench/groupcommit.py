"""What it brings that messages which are waiting share a commit."""

import json
import os
import statistics
import subprocess
import sys

from bench.engine import cores
from bench.engine.stage import Stage
from bench.figures import Figure, Terms, at_least, at_most, table

SECONDS = 1.0
TOGETHER = "together"
TARGETS = {"2 ms": 8.0, "as the disk is": 4.0}
LONE_TARGET = 1.5
# One for each of those who commit alone, and some for the product.
POOL_SIZE = "48"

# By the flush, then by the way: appends per second, and the p50 of a lone writer, turn by turn.
Found = dict[str, dict[str, list[tuple[float, float]]]]


def groupcommit(_: Stage, terms: Terms) -> list[Figure]:
    """256 writers: group commit against one commit per message, the log's flush as the disk is and with 2 ms more."""
    found = _measured(terms.repeat)
    rows = []
    figures = []
    for flush, ways in found.items():
        medians = {name: tuple(map(statistics.median, zip(*turns, strict=True))) for name, turns in ways.items()}
        rows += [(flush, name, f"{rate:,.0f}", f"{p50:.2f} ms") for name, (rate, p50) in medians.items()]
        ours = medians.pop(TOGETHER)
        best, quickest = max(rate for rate, _ in medians.values()), min(p50 for _, p50 in medians.values())
        figures.append(at_least(f"group commit, 256 writers, flush {flush}", ours[0] / best, TARGETS[flush]))
        figures.append(at_most(f"… p50 of a lone writer, flush {flush}", ours[1] / quickest, LONE_TARGET))
    print(table(("flush", "commits", "messages/s", "a lone writer: p50"), rows))
    return figures


def _measured(repeat: int) -> Found:
    command = ["taskset", "--cpu-list", str(cores.SERVER), sys.executable, "-m", "bench.writers"]
    environment = {**os.environ, "DB_POOL_SIZE": POOL_SIZE}
    options = ["--repeat", str(repeat), "--seconds", str(SECONDS)]
    done = subprocess.run([*command, *options], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found
