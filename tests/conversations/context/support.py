"""A conversation as tests of contexts write it: quick, by the log, with tools and system messages."""

from typing import Any
from uuid import UUID

from accounts.models import User
from chatproject.lib.ids import new_id
from conversations import eventlog
from conversations.actors import SYSTEM, Actor
from conversations.appends import Append, Decision, Draft
from conversations.models import Message
from conversations.services import conversations

GUIDE = Actor.assistant("guide")
Tool = tuple[str, Any, Any]


class Talk:
    """What is said, event by event; each method gives the seq of the message."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.id: UUID = conversations.create(user=user, title="Talk").result(30).conversation.id

    def write(self, actor: Actor, *drafts: Draft) -> list[dict[str, Any]]:
        done = eventlog.append(Append(self.id, actor, str(new_id()), lambda _: Decision(drafts), drafts=drafts))
        return list(done.frames)

    def say(self, text: str) -> int:
        return self._said(Actor.of(self.user), text)

    def chatter(self, *texts: str) -> None:
        """Many messages with one commit."""
        said = [Draft("message:new", {"message": str(new_id()), "text": text, "action": "chat"}) for text in texts]
        self.write(Actor.of(self.user), *said)

    def system(self, text: str) -> int:
        return self._said(SYSTEM, text)

    def _said(self, actor: Actor, text: str, **more: str) -> int:
        draft = Draft("message:new", {"message": str(new_id()), "text": text, "action": "chat", **more})
        return int(self.write(actor, draft)[0]["seq"])

    def ask(self, text: str) -> int:
        """A question whose run waits."""
        return self._said(Actor.of(self.user), text, run=str(new_id()), assistant="guide")

    def answer(self, question: int, text: str, *tools: Tool) -> int:
        asked = self.message(question)
        ids = {"run": str(asked.run), "message": str(new_id())}
        steps = [
            Draft("run:step", {
                "run": ids["run"], "step": str(new_id()), "kind": "tool", "name": name, "status": "completed",
                "input": given, "output": output,
            })
            for name, given, output in tools
        ]  # fmt: skip
        start = Draft("run:start", {**ids, "assistant": "guide", "reply_to": str(asked.id)})
        end = Draft("run:end", {**ids, "status": "completed", "text": text, "usage": None})
        return int(self.write(GUIDE, start, *steps, end)[0]["seq"])

    def regenerated(self, question: int, first: int, text: str) -> None:
        """Another answer to a question, beside the `first` one."""
        asked, other = self.message(question), self.message(first)
        ids = {"run": str(new_id()), "reply_to": str(asked.id), "branch_of": str(other.id), "assistant": "guide"}
        self.write(Actor.of(self.user), Draft("run:queue", ids))
        message = {"run": ids["run"], "message": str(new_id())}
        start = Draft("run:start", {**ids, **message})
        end = Draft("run:end", {**message, "status": "completed", "text": text, "usage": None})
        self.write(GUIDE, start, end)

    def exchange(self, question: str, answer: str, *tools: Tool) -> tuple[int, int]:
        asked = self.ask(question)
        return asked, self.answer(asked, answer, *tools)

    def pin(self, seq: int) -> None:
        self.write(Actor.of(self.user), Draft("message:pin", {"message": str(self.message(seq).id), "on": True}))

    def edit(self, seq: int, text: str) -> None:
        data = {"message": str(self.message(seq).id), "text": text, "base_seq": seq}
        self.write(Actor.of(self.user), Draft("message:edit", data))

    def delete(self, seq: int) -> None:
        self.write(Actor.of(self.user), Draft("message:delete", {"message": str(self.message(seq).id)}))

    def message(self, seq: int) -> Message:
        return Message.objects.get(conversation=self.id, seq=seq)
