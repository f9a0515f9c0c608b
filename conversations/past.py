"""What a message is, and how it was at an earlier seq, from what its row keeps: `versions` and `past`.

Pure, and shared by the projections and the fold, so that both mean the same. All values are plain JSON:

- a version is `{seq, event, at, source?}`: from `seq` on the message had the text of the event `event`, which
  has the number `source` (left out where it is `seq` itself: the text was written then, not restored);
- an entry of `past` is `{until, status, selected}`: so it was before the event `until` changed it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

HIDDEN = "hidden"
STREAMING = "streaming"
# The status of a run that ended -> that of its message.
ANSWERS = {"completed": "complete", "stopped": "stopped", "failed": "failed", "interrupted": "interrupted"}


def tokens(data: Json) -> dict[str, int]:
    """How long a message is by encoding, from the event of its text: with the files that it carries."""
    files = data.get("parts_tokens") or {}
    return {encoding: size + files.get(encoding, 0) for encoding, size in (data.get("tokens") or {}).items()}


def version_at(versions: Sequence[Json], seq: int) -> Json | None:
    """The text at `seq`; the first one where there was none yet; None where there never was one."""
    earlier = [version for version in versions if version["seq"] <= seq]
    found = earlier[-1:] or versions[:1]
    return found[0] if found else None


def source(version: Json) -> int:
    """The number of the event that holds this version's text."""
    return int(version.get("source") or version["seq"])


def restored(version: Json, seq: int, at: str) -> Json:
    """`version` as it becomes the current one again with the event `seq`."""
    return {"seq": seq, "event": version["event"], "at": at, "source": source(version)}


def visibility_at(row: Mapping[str, Any], seq: int) -> tuple[str, bool]:
    """Status and selection of a message at `seq`. What did not exist yet is hidden, and an alternative not chosen."""
    if row["seq"] > seq:
        return HIDDEN, row["selected"] and not row["branch_of"]
    for entry in row["past"]:
        if entry["until"] > seq:
            return entry["status"], entry["selected"]
    return row["status"], row["selected"]


def ended(past: Sequence[Json], status: str) -> list[Json]:
    """`past` of an answer that ended with `status`: that is what it comes back with, not as a running one."""
    return [{**entry, "status": status} if entry["status"] == STREAMING else entry for entry in past]
