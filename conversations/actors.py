"""Who wrote an event: a user, an assistant, a human agent, or the system itself."""

from dataclasses import dataclass, replace
from uuid import UUID

from accounts.models import User


@dataclass(frozen=True)
class Actor:
    """`kind` is one of user, assistant, agent, system; `id` is a user's UUID or a name."""

    kind: str
    id: str
    name: str

    @classmethod
    def of(cls, user: User) -> "Actor":
        return cls("user", str(user.id), user.display_name)

    @classmethod
    def assistant(cls, name: str) -> "Actor":
        return cls("assistant", name, name)

    def in_role(self, role: str | None) -> "Actor":
        """Who this is where a user has `role`: who takes part as an agent writes as one."""
        return replace(self, kind="agent") if self.kind == "user" and role == "agent" else self

    @property
    def user_id(self) -> UUID | None:
        return UUID(self.id) if self.kind in PEOPLE else None


# Users, whatever they write as.
PEOPLE = ("user", "agent")
SYSTEM = Actor("system", "system", "system")
# Whoever runs the service. Members need not know which of them it was; the audit entry of the act says it.
STAFF = Actor("system", "staff", "staff")
