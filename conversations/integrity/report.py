"""What was found about one conversation, and how well it stands."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from conversations.integrity.differences import Difference

# What each kind of damage takes off the score, however much there is of it: one wrong row is enough.
WEIGHTS = {"log": 0.5, "drift": 0.2, "orphan": 0.2, "snapshot": 0.05, "search": 0.05}
GROUPS = {
    "hole": "log",
    "head": "log",
    "time": "log",
    "event": "log",
    "drift": "drift",
    "orphan": "orphan",
    "chunks": "orphan",
    "file": "drift",
    "snapshot": "snapshot",
    "checkpoint": "snapshot",
    "search": "search",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `kind` is one of GROUPS, `seq` that of a snapshot."""

    kind: str
    text: str
    difference: Difference | None = None
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


@dataclass
class Report:
    """All findings about one conversation; `head` is what its row said at that moment, `events` how many were
    looked at."""

    conversation: UUID
    head: int
    events: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def score(self) -> float:
        """1.0 where nothing is wrong, less the weight of every group of kinds that was found."""
        groups = {GROUPS[finding.kind] for finding in self.findings}
        return round(1 - sum(WEIGHTS[group] for group in groups), 2)

    @property
    def kinds(self) -> Counter[str]:
        return Counter(finding.kind for finding in self.findings)

    def add(self, kind: str, text: str, seq: int | None = None) -> None:
        self.findings.append(Finding(kind, text, seq=seq))
