"""A connector that is to be built or checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Json = dict[str, Any]


@dataclass(frozen=True)
class Setup:
    """A connector that is to be built: its row, with its secrets in clear."""

    id: UUID
    name: str
    kind: str
    version: int
    description: str
    config: Json
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def secret(self, name: str) -> str:
        return self.secrets.get(name, "")
