"""A thousand people for some minutes: `python -m bench.people [--users 1000] [--minutes 5] [--profile FILE]`, or
`make locust`.

Starts the product on its core, makes the people and their conversations, and has Locust run bench/locustfile.py, which
judges what it saw. Ends as Locust does: with 1 where a target was missed.
"""

import argparse
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from bench.engine.cores import Watch
from bench.engine.spy import profiling
from bench.engine.stage import stage

ROOM = 4
SPAWN_PER_SECOND = 20


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--users", type=int, default=1000)
    options.add_argument("--minutes", type=float, default=5.0, help="after everybody is there")
    options.add_argument("--profile", type=Path, help="file for where our server's time goes (bench.profile)")
    given = options.parse_args()
    with stage() as place:
        from bench.engine import places

        people = [asdict(one) for one in places.people(given.users // ROOM, ROOM)]
        file = place.folder / "people.json"
        file.write_text(json.dumps(people))
        seconds = given.users / SPAWN_PER_SECOND + given.minutes * 60
        server = place.server("ours")
        with profiling(server, given.profile) if given.profile else nullcontext():
            watch = Watch()
            code = _locust(server.port, len(people), int(seconds), str(file))
            busy = watch.read()
        print(f"server's core {busy.server:.0%}, the other {busy.others:.0%}", file=sys.stderr)
        sys.exit(code)


def _locust(port: int, users: int, seconds: int, people: str) -> int:
    command = [sys.executable, "-m", "locust", "--locustfile", "bench/locustfile.py", "--headless", "--only-summary"]
    load = ["--users", str(users), "--spawn-rate", str(SPAWN_PER_SECOND), "--run-time", f"{seconds}s"]
    # Its replacement of all blocking calls would break asyncio, on which the clients run.
    environment = {**os.environ, "LOCUST_SKIP_MONKEY_PATCH": "1", "BENCH_PEOPLE": people}
    host = ["--host", f"http://127.0.0.1:{port}", "--stop-timeout", "10"]
    return subprocess.run([*command, *load, *host], env=environment, check=False).returncode


if __name__ == "__main__":
    main()
