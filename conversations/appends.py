"""What goes into the log and what comes back: the vocabulary of eventlog.py."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from chatproject.lib import rows
from chatproject.lib.caller import Caller, caller
from chatproject.lib.crypto import DataKey
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import event_types
from conversations.actors import Actor
from conversations.context import tokens
from conversations.models import Conversation, Event, Member, Message, Run, SearchEntry
from conversations.permissions import Permission, require
from conversations.privacy import drafts
from conversations.search import index

Frame = dict[str, Any]
LOCK_RUN = (
    f"SELECT {rows.columns(Run, 'r')} FROM conversations_run r"  # noqa: S608
    " WHERE r.id = %s AND r.conversation_id = %s FOR UPDATE"
)
# Conversation, author, cmid: what is written once at most.
Identity = tuple[UUID, str, str]


class Contradiction(Problem):
    """The same cmid (or Idempotency-Key) came before, with another body."""

    def __init__(self) -> None:
        super().__init__("conflict", "This cmid was used for something else before.")


@dataclass
class Draft:
    """An event before it has a number. `data` holds plain JSON; secret values are sealed before the lock, and what
    of them an assistant may be sent is counted.

    What must not be kept is taken out at once (docs/privacy.md), so that nothing else ever sees it; making a
    draft raises Problem `invalid` where that is to be refused. `screened`: the texts come from our own store.
    `actor` is who wrote it, where that is not whoever asks for the append.
    """

    type: str
    data: dict[str, Any]
    id: UUID = field(default_factory=new_id)
    screened: bool = False
    actor: Actor | None = None
    _envelopes: dict[str, Any] = field(default_factory=dict)
    _hashes: list[int] | None = None

    def __post_init__(self) -> None:
        if not self.screened:
            self.data = drafts.screened(self.type, self.data)

    def seal(self, key: DataKey, conversation: UUID) -> None:
        """Encrypt the secret values, count the tokens of texts and hash their words.

        Secret values must not change afterwards; the others may until the decision.
        """
        secret = event_types.EVENT_TYPES[self.type].secret
        values = {name: self.data[name] for name in secret if name in self.data and name not in self._envelopes}
        if values:
            self._count()
            self._envelopes |= event_types.seal(self.type, values, key, conversation, self.id)
            self._hashes = index.hashed(self.type, self.data, key)

    def _count(self) -> None:
        """Note the `tokens` of its texts, once: whoever needs them later finds them in the log."""
        texts = event_types.sendable_texts(self.type, self.data)
        if texts and "tokens" not in self.data:
            self.data["tokens"] = tokens.counts(*texts)

    def stored(self, key: DataKey, conversation: UUID) -> dict[str, Any]:
        """`data` as it is stored."""
        self.seal(key, conversation)
        return {**self.data, **self._envelopes}

    def search_entry(self, event: Event) -> SearchEntry | None:
        """By which words the text of `event`, made from this draft, can be found; None for one without a text."""
        return None if self._hashes is None else index.entry(event, self._hashes)


@dataclass(frozen=True)
class Record:
    """An event that was written elsewhere, with its author and its time. What is not `imported` adds to it what
    has become of it here."""

    draft: Draft
    actor: Actor
    at: datetime
    cmid: str | None = None
    imported: bool = True


class State:
    """What a decision may look at, all of it read under the conversation's lock."""

    def __init__(
        self,
        conversation: Conversation,
        role: str | None,
        actor: Actor,
        key: DataKey,
        settle: Callable[[], None],
    ) -> None:
        self.conversation = conversation
        self.role = role
        self.actor = actor
        self.key = key
        self._settle = settle

    def require(self, permission: Permission) -> None:
        """Raise Problem `not_found` or `forbidden` unless the actor may. Assistants and the system may."""
        if self.actor.kind == "user":
            require(self.role, permission)

    def settle(self) -> None:
        """Write what earlier decisions of this transaction left pending, before a query that must see it."""
        self._settle()

    def member(self, user_id: UUID) -> Member | None:
        self.settle()
        return Member.objects.filter(conversation=self.conversation, user_id=user_id).first()

    def message(self, id_: UUID) -> Message:
        """A message of the conversation. Raises Problem `not_found`."""
        self.settle()
        row = Message.objects.filter(id=id_, conversation=self.conversation).first()
        if row is None:
            raise Problem("not_found")
        return row

    def lock_run(self, run_id: UUID) -> Run:
        """The run's row, locked. Raises Problem `not_found`."""
        self.settle()
        run = next(rows.made(Run, rows.execute(LOCK_RUN, run_id, self.conversation.id)), None)
        if run is None:
            raise Problem("not_found")
        return run


@dataclass
class Decision:
    """What is to be written: events in order, then `effects` (audit, jobs, leases) in the same transaction.

    Without events nothing happens: everything is already as it was asked for.
    """

    drafts: Sequence[Draft]
    effects: Sequence[Callable[[], object]] = ()


Decide = Callable[[State], Decision]


@dataclass
class Append:
    """One request to write.

    `cmid` is the author's id of the request and `body` what its repetition must equal; the event that
    carries it is `main` (default: the first). `drafts` are sealed before the lock. `create` is a new
    conversation with its `key`, inserted together with its first events. What is `long` is not written
    together with appends of other conversations, which would have to wait for it. `caller` is who asked for it.
    """

    conversation: UUID
    actor: Actor
    cmid: str
    decide: Decide
    body: Any = None
    drafts: Sequence[Draft] = ()
    main: Draft | None = None
    create: Conversation | None = None
    key: DataKey | None = None
    fingerprint: bytes = b""
    long: bool = False
    caller: Caller = field(default_factory=caller)

    @property
    def identity(self) -> Identity:
        return self.conversation, self.actor.id, self.cmid


@dataclass
class Committed:
    """What was written: the frames of all events, and of the main one. With `dup`, that of the first time.

    No frames and an empty main one where there was nothing to do.
    """

    conversation: Conversation
    main: Frame
    frames: Sequence[Frame] = ()
    dup: bool = False
