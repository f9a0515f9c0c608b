"""What binds a stored state to its place, and tells that it is as it was stored."""

import hashlib
import json
from typing import Any
from uuid import UUID


def checksum(conversation: UUID, seq: int, state: dict[str, Any]) -> str:
    """SHA-256, in hex, of the canonical JSON (sorted keys, no spaces, UTF-8) of `[conversation, seq, state]`."""
    place = [str(conversation), seq, state]
    canonical = json.dumps(place, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
