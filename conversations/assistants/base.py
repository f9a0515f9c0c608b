"""What an assistant is, and what it sees of a turn."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol
from uuid import UUID

if TYPE_CHECKING:
    # Plugins in processes of their own (connectors/sandbox/) import this module, and nothing else of ours.
    from conversations.context.result import Context


class Step(Protocol):
    """A piece of visible work. Set `output` and `sources` before the block ends.

    `done`: the block ran before the turn waited for a person; both are there already, and nothing is written. `id` is
    what steps below it name as their `parent`.
    """

    id: str
    output: Any
    sources: list[dict[str, Any]]
    done: bool


@dataclass(frozen=True)
class About:
    """What is answered: its text, the metadata of the conversation, and the slug of the template that it began from."""

    text: str
    metadata: dict[str, Any] = field(default_factory=dict)
    template: str = ""


class Turn(Protocol):
    """One answer in the making. What is emitted is stored before anybody sees it.

    `usage` (token counts) and `sources` may be set at any time and end up in `run:end`. `path` are the assistants that
    take this turn, the one that was asked first in front. In a team, `hand_to` may be set to whom to hand over to, to
    `done` or to `continue`; else the team says who speaks next.
    """

    usage: dict[str, Any] | None
    sources: list[dict[str, Any]] | None
    hand_to: str

    @property
    def path(self) -> tuple[str, ...]: ...

    async def context(self, also: str = "", assistant: str | None = None) -> "Context":
        """What to send: `lines` in order, the message that is answered last, within the budget that the assistant
        (or another one, `assistant`) is configured with (ASSISTANT_CONTEXTS). The run keeps a report of it. `also` is
        added to the system prompt."""

    async def about(self) -> About:
        """The message that is answered, and where it stands; for those that do not need a context."""

    async def recall(self, query: str, limit: int, known: Collection[int] = ()) -> list[dict[str, Any]]:
        """What was said about `query` earlier in this conversation, the best first, without the messages at the seqs
        `known`: `{message, seq, score, role, title, text}`. Shown as a step of kind retrieval with these sources."""

    async def picture(self, file: UUID) -> str | None:
        """One of the context's `pictures` as a `data:` URL; None where it is gone meanwhile."""

    async def emit(self, text: str) -> None:
        """Add to the answer."""

    async def artefact(self, name: str, content_type: str, data: bytes) -> dict[str, Any]:
        """Store a file of the conversation that the answer carries; its part of the message. The same name and content
        again is the same file. Raises AssistantError for what cannot be kept (too large, a type that is not taken)."""

    def step(
        self, kind: str, name: str, input: Any = None, parent: str | None = None
    ) -> AbstractAsyncContextManager[Step]:
        """Show a step (kind: thought, tool, retrieval, plugin) while the block runs, below the step `parent`."""

    def open_team(self, name: str) -> None:
        """Have the turns of a team follow this one. Raises AssistantError where it is a part of another one."""

    async def degraded(self, plugin: str, reason: str) -> None:
        """Tell the room that a part of this fails or waits; the answer goes on where it can (`plugin:degraded`)."""

    async def asker(self) -> UUID | None:
        """Which of our users asked for this answer."""

    async def place(self) -> str:
        """A name of the conversation, for whoever keeps one of their own about it."""

    def before(self, kind: str, name: str) -> Any:
        """What the step that comes next gave, where the turn did it before it waited for a person; otherwise None."""

    async def ask(self, kind: str, schema: dict[str, Any]) -> Any:
        """Ask a person (kind: approval, choice, form, text) and give the answer, a value that fits the JSON Schema
        `schema`; its `title` and `description` say what is asked.

        The turn ends here, in whatever process, and goes on in another when somebody has answered: `answer` is then
        called once more from its beginning. What it emits again, and steps and questions that come again in the same
        order, are taken for what they were. Raises ValueError for a schema that cannot be asked.
        """

    async def hand_over(self, reason: str = "") -> NoReturn:
        """End the answer here, with what was emitted, and have a person go on with the conversation; `reason` is for
        those who look whom to help next."""


class Assistant(Protocol):
    """Answers one turn at a time per conversation; cancelled when the turn is stopped."""

    async def answer(self, turn: Turn) -> None:
        """Emit the answer. Raise AssistantError for a failure that the user should read about."""


class Tool(Protocol):
    """Something that a model may do while it answers. Where `side_effects`, a person is asked before each call."""

    name: str
    description: str
    schema: dict[str, Any]
    side_effects: bool

    async def call(self, turn: Turn, arguments: Any) -> Any:
        """Do it, with arguments that fit the JSON Schema `schema`; what it gives (JSON) is told to the model. Raise
        AssistantError for a failure that the model should read about. May be called from several turns at once."""


class AssistantError(Exception):
    """The answer failed; `code` and `message` are shown to the user."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


class Transient(AssistantError):
    """It failed before it gave anything: asking again may help."""


class Throttled(AssistantError):
    """A provider refuses more for now; `retry_after` are the seconds that it asks for, 0 where it says nothing."""

    def __init__(self, code: str, message: str, retry_after: float = 0) -> None:
        self.retry_after = retry_after
        super().__init__(code, message)
