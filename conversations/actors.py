"""Who wrote an event: a user, an assistant, a human agent, or the system itself."""

from dataclasses import dataclass
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

    @property
    def user_id(self) -> UUID | None:
        return UUID(self.id) if self.kind == "user" else None


SYSTEM = Actor("system", "system", "system")
# Whoever runs the service. Members need not know which of them it was; the audit entry of the act says it.
STAFF = Actor("system", "staff", "staff")
