"""`bench.growth` as one of the scenarios: in a process and a database of its own."""

import os
import subprocess
import sys

from bench.engine.stage import Stage
from bench.figures import Figure, Terms

EVENTS, TIMES = 20_000, 100
OURS = ("DATABASE_URL", "REDIS_URL", "DATA_DIR")


def growth(_: Stage, __: Terms) -> list[Figure]:
    """Nothing gets slower as a conversation grows."""
    environment = {name: value for name, value in os.environ.items() if name not in OURS}
    command = [sys.executable, "-m", "bench.growth", "--events", str(EVENTS), "--times", str(TIMES)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(done.stdout or done.stderr)
    held = done.returncode == 0
    return [Figure(f"{EVENTS} events against 100", "no slower" if held else "slower", "≤ 1.2 × each", held)]
