"""`python -m tests.audit`: whether a known weakness is in what is locked. Fails where one is; says so where nobody
could be asked, as on a machine that reaches no service that knows of them."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

# What knows of weaknesses, by pip-audit's names; the next one is asked where one cannot be reached.
SERVICES = ("pypi", "osv")
LOCK = "requirements-dev.txt"
# Weaknesses that do not concern us, each with the reason.
IGNORED: dict[str, str] = {}
SECONDS = 300


@dataclass
class Findings:
    """What a service said: names with a weakness, how many it knows, names that it does not know."""

    weak: list[str] = field(default_factory=list)
    known: int = 0
    unknown: list[str] = field(default_factory=list)


def asked(service: str) -> Findings:
    """What a service says; nothing at all where it cannot be reached."""
    command = ["pip_audit", "--requirement", LOCK, "--require-hashes", "--disable-pip", "--vulnerability-service"]
    options = [service, "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        [sys.executable, "-m", *command, *options], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    try:
        return read(json.loads(done.stdout))
    except ValueError:
        return Findings()


def read(report: dict[str, Any]) -> Findings:
    """pip-audit's report in JSON."""
    found = Findings()
    for package in report["dependencies"]:
        if "skip_reason" in package:
            found.unknown.append(package["name"])
            continue
        found.known += 1
        ids = [one["id"] for one in package["vulns"] if not {one["id"], *one.get("aliases", ())} & IGNORED.keys()]
        found.weak += [f"{package['name']} {package['version']}: {id_}" for id_ in ids]
    return found


def verdict(found: Findings) -> tuple[int, str]:
    """An exit code, and what to say."""
    if found.weak:
        return 1, "Known weaknesses:\n" + "\n".join(found.weak) + "\nMake the lock anew (make lock UPGRADE=--upgrade)."
    if not found.known:
        return 0, "NOT AUDITED: no service that knows of weaknesses could be reached from here."
    rest = f"; not known to the service: {', '.join(found.unknown)}" if found.unknown else ""
    return 0, f"No known weakness in {found.known} packages{rest}."


def main() -> int:
    found = next((one for one in map(asked, SERVICES) if one.known), Findings())
    code, text = verdict(found)
    sys.stdout.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
