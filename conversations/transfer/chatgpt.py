"""What ChatGPT exports: `conversations.json`, a list of conversations, each a tree of messages (`mapping`) with the
path to `current_node` in use.

Answers to the same question are alternatives (`branch_of`), the one in use selected. Where a question was edited,
what followed from its other forms is told first and then taken back by `conversation:restore`: nothing is lost,
and what is visible is what ChatGPT showed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from accounts.models import User
from conversations.transfer import writing
from conversations.transfer.lines import Author, Line
from conversations.transfer.writing import Log, Turn, moment

Node = dict[str, Any]
# Kinds of content that are no part of what was said: instructions, and marks of the product's own.
UNSAID = ("user_editable_context", "model_editable_context", "reasoning_recap", "app_pairing_content")


def events(conversation: Any, importer: User) -> list[Line]:
    """A conversation of the list as events of ours. Raises ValueError, KeyError, TypeError for what is none."""
    tree = Tree(conversation)
    log = Log(f"chatgpt {conversation.get('conversation_id') or conversation.get('id')}")
    me = Author("user", str(importer.id), importer.display_name)
    metadata = {"source": "chatgpt", "id": writing.plain(conversation.get("conversation_id"))[:100]}
    log.begin(me, moment(conversation.get("create_time")), conversation.get("title"), metadata)
    _Telling(tree, log, me, conversation.get("default_model_slug")).tell()
    return log.lines


class Tree:
    """The nodes, and which of them are on the path that is in use."""

    def __init__(self, conversation: Any) -> None:
        mapping = conversation["mapping"]
        if not isinstance(mapping, dict) or not all(isinstance(node, dict) for node in mapping.values()):
            raise ValueError("mapping must be an object of nodes")
        self.nodes: dict[str, Node] = mapping
        self.roots = [id_ for id_, node in mapping.items() if node.get("parent") not in mapping]
        self._check()
        self.path = self._path(conversation.get("current_node"))

    def _check(self) -> None:
        """Every node is reached once, from a root."""
        waiting, seen = list(self.roots), set(self.roots)
        while waiting:
            for child in self.children(waiting.pop()):
                if child in seen:
                    raise ValueError("a node of the mapping has two parents")
                seen.add(child)
                waiting.append(child)
        if len(seen) < len(self.nodes):
            raise ValueError("the mapping has a cycle, or nodes that nothing leads to")

    def _path(self, current: Any) -> set[str]:
        path: set[str] = set()
        while current in self.nodes and current not in path:
            path.add(current)
            current = self.nodes[current].get("parent")
        return path

    def children(self, id_: str) -> list[str]:
        return [child for child in self.nodes[id_].get("children") or () if child in self.nodes]

    def following(self, ids: list[str]) -> list[str]:
        """The nodes among `ids` that say something, those that say nothing replaced by what follows them; the one
        in use comes last."""
        found, waiting = [], ids[::-1]
        while waiting:
            id_ = waiting.pop()
            if role(self.nodes[id_]):
                found.append(id_)
            else:
                waiting += self.children(id_)[::-1]
        return sorted(found, key=lambda id_: id_ in self.path)

    def chain(self, head: str) -> list[str]:
        """An answer: from its first node on, up to the next question; of several ways, the one in use or the last."""
        nodes = [head]
        while (after := self.following(self.children(nodes[-1]))) and role(self.nodes[after[-1]]) == "answer":
            nodes.append(after[-1])
        return nodes


@dataclass
class _Telling:
    """Tells a tree as a log. What is yet to be told waits on a stack: trees may be deep."""

    tree: Tree
    log: Log
    me: Author
    model: Any

    def tell(self) -> None:
        waiting = [*self._each(self.tree.following(self.tree.roots), keep=True)][::-1]
        while waiting:
            waiting += [*waiting.pop()()][::-1]

    def _each(self, ids: list[str], *, keep: bool) -> Iterator[Any]:
        """Tell one after the other, and take each back but the last (that too, unless it is to be kept)."""
        seq = len(self.log.lines)
        for id_ in ids:
            yield partial(self._question if role(self.tree.nodes[id_]) == "question" else self._greeting, id_)
            if not keep or id_ != ids[-1]:
                yield partial(self._take_back, seq)

    def _take_back(self, seq: int) -> Iterator[Any]:
        if len(self.log.lines) > seq:
            self.log.add("conversation:restore", self.me, None, {"to_seq": seq})
        return iter(())

    def _question(self, id_: str) -> Iterator[Any]:
        after = self.tree.following(self.tree.children(id_))
        answers = [
            turn for head in after if role(self.tree.nodes[head]) == "answer" for turn in [self._turn(id_, head)]
        ]
        queued = {"run": answers[0].run, "assistant": answers[0].assistant} if answers else {}
        node = self.tree.nodes[id_]
        self.log.say(self.me, _time(node), _text(node["message"]), message=self.log.id(id_), **queued)
        seq = len(self.log.lines)
        for turn in answers:
            turn.reply_seq = seq
            yield partial(self._answer, turn, answers[0], last=turn is answers[-1])
        yield from self._each([one for one in after if role(self.tree.nodes[one]) == "question"], keep=True)

    def _answer(self, turn: "_Told", first: "_Told", *, last: bool) -> Iterator[Any]:
        if turn is not first:
            turn.branch_of = first.message
            asked = {"run": turn.run, "reply_to": turn.reply_to, "reply_seq": turn.reply_seq}
            asked |= {"assistant": turn.assistant, "branch_of": first.message}
            self.log.add("run:queue", self.me, turn.began, asked)
        self.log.answer(turn)
        yield from self._each(self._questions_after(turn.end), keep=last)

    def _greeting(self, id_: str) -> Iterator[Any]:
        """What an assistant said before anybody asked."""
        turn = self._turn(id_, id_)
        if turn.text:
            actor = Author("assistant", turn.assistant, turn.assistant)
            self.log.say(actor, turn.began, turn.text, message=self.log.id(id_))
        yield from self._each(self._questions_after(turn.end), keep=True)

    def _questions_after(self, id_: str) -> list[str]:
        after = self.tree.following(self.tree.children(id_))
        return [one for one in after if role(self.tree.nodes[one]) == "question"]

    def _turn(self, question: str, head: str) -> "_Told":
        ids = self.tree.chain(head)
        nodes = [self.tree.nodes[id_] for id_ in ids]
        slugs = [(node["message"].get("metadata") or {}).get("model_slug") for node in nodes]
        name = writing.author(next(filter(None, slugs), self.model) or "chatgpt")
        turn = _Told(
            run=self.log.id(head, "run"),
            message=self.log.id(head),
            reply_to=self.log.id(question),
            assistant=name,
            began=_time(nodes[0]),
            ended=_time(nodes[-1]),
            status=_status(nodes[-1]["message"]),
            end=ids[-1],
        )
        turn.text = "\n\n".join(_text(node["message"]) for node in nodes if _is_said(node["message"]))
        turn.steps = [
            _step(self.log.id(id_, "step"), node)
            for id_, node in zip(ids, nodes, strict=True)
            if not _is_said(node["message"])
        ]
        return turn


@dataclass
class _Told(Turn):
    """A turn, the node at which it ends, and the number of its question."""

    end: str = ""
    reply_seq: int = 0


def role(node: Node) -> str:
    """`question`, `answer`, or nothing for what was not said."""
    message = node.get("message")
    if not isinstance(message, dict) or (message.get("metadata") or {}).get("is_visually_hidden_from_conversation"):
        return ""
    kind = (message.get("content") or {}).get("content_type")
    author = (message.get("author") or {}).get("role")
    if kind in UNSAID or author not in ("user", "assistant", "tool") or not _text(message).strip():
        return ""
    return "question" if author == "user" else "answer"


def _is_said(message: Node) -> bool:
    """Whether it is text for the user, and not a call of a tool, its result, or a thought."""
    if message["author"]["role"] != "assistant" or message.get("recipient", "all") != "all":
        return False
    return message["content"].get("content_type") not in ("code", "execution_output", "thoughts")


def _step(id_: str, node: Node) -> dict[str, Any]:
    message, at = node["message"], _time(node)
    if message["content"].get("content_type") == "thoughts":
        return writing.step(id_, at, "thought", "thought", output=_text(message))
    if message["author"]["role"] == "tool":
        return writing.step(id_, at, "tool", message["author"].get("name"), output=_text(message))
    return writing.step(id_, at, "tool", message.get("recipient"), input=_text(message))


def _text(message: Node) -> str:
    """All that a message says, whatever its kind; what is no text is named in brackets."""
    content = message.get("content") or {}
    pieces = [*(content.get("parts") or ()), *(content.get("thoughts") or ())]
    for field in ("text", "result"):
        pieces += [content[field]] if isinstance(content.get(field), str) else []
    files = (message.get("metadata") or {}).get("attachments") or ()
    named = [f"[{writing.plain(file.get('name')) or 'file'}]" for file in files if isinstance(file, dict)]
    return writing.plain("\n\n".join(filter(None, [*map(_piece, pieces), *named])))


def _piece(piece: Any) -> str:
    if isinstance(piece, dict):
        text = piece.get("text") or piece.get("content")
        return text if isinstance(text, str) else f"[{writing.plain(piece.get('content_type')) or 'attachment'}]"
    return piece if isinstance(piece, str) else ""


def _status(message: Node) -> str:
    """`finished_successfully`, or what else the last message of an answer says of itself."""
    ended = ((message.get("metadata") or {}).get("finish_details") or {}).get("type")
    return (
        "stopped"
        if ended == "interrupted"
        else "interrupted"
        if message.get("status") == "in_progress"
        else "completed"
    )


def _time(node: Node) -> datetime | None:
    return moment(node["message"].get("create_time"))
