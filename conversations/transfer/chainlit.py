"""What Chainlit's data layers give: a thread (`ThreadDict`: `id, createdAt, name, userIdentifier, tags, metadata,
steps`), or a list of them. A step is `{id, type, name, input, output, createdAt, start, end, isError, parentId,
feedback}`; `user_message` and `assistant_message` were said, the others are what was done for it.
"""

from collections.abc import Iterator
from typing import Any

from accounts.models import User
from conversations.transfer import writing
from conversations.transfer.lines import Author, Line
from conversations.transfer.writing import Log, Turn, moment

Step = dict[str, Any]
KINDS = {"tool": "tool", "retrieval": "retrieval", "rerank": "retrieval", "llm": "thought", "embedding": "retrieval"}
# Marks around others, with nothing of their own.
FRAMES = ("run", "undefined")


def events(thread: Any, importer: User) -> list[Line]:
    """A thread as events of ours. Raises ValueError, KeyError, TypeError for what is none."""
    steps = thread["steps"] or []
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ValueError("steps must be a list of objects")
    log = Log(f"chainlit {thread.get('id')}")
    name = writing.author(thread.get("userIdentifier") or importer.username)
    person = Author("user", str(importer.id) if name == importer.username else log.id("user", name), name)
    begun = moment(thread.get("createdAt"))
    log.begin(person, begun, thread.get("name"), {"source": "chainlit", "id": writing.plain(thread.get("id"))[:100]})
    tags = [writing.cut(writing.plain(tag).strip(), 50) for tag in thread.get("tags") or ()]
    tags = [tag for tag in tags if tag and tag.isprintable()][:50]
    if tags:
        log.add("conversation:update", person, begun, {"tags": tags})
    for question, answers, done in _turns(sorted(steps, key=_when)):
        _tell(log, person, question, answers, done)
    return log.lines


def _turns(steps: list[Step]) -> Iterator[tuple[Step | None, list[Step], list[Step]]]:
    """A question (none at the beginning), the answers to it, and what was done for them."""
    question: Step | None = None
    answers: list[Step] = []
    done: list[Step] = []
    for step in steps:
        kind = step.get("type")
        if kind == "user_message":
            yield question, answers, done
            question, answers, done = step, [], []
        elif kind in ("assistant_message", "system_message"):
            answers.append(step)
        elif kind not in FRAMES:
            done.append(step)
    yield question, answers, done


def _tell(log: Log, person: Author, question: Step | None, answers: list[Step], done: list[Step]) -> None:
    """The first answer is that of a run, with its steps; further ones, and greetings, stand for themselves."""
    said = [step for step in answers if _output(step).strip()]
    turn = _turn(log, question, said[0], done) if question and said else None
    if question:
        queued = {"run": turn.run, "assistant": turn.assistant} if turn else {}
        text = _output(question).strip() or "[…]"
        log.say(person, _at(question), text, message=_id(log, question), **queued)
        _feedback(log, person, question)
    if turn:
        log.answer(turn)
        _feedback(log, person, said[0])
    for step in said[1:] if turn else said:
        name = writing.author(step.get("name"))
        reply = {"reply_to": _id(log, question)} if question else {}
        log.say(Author("assistant", name, name), _at(step), _output(step), message=_id(log, step), **reply)
        _feedback(log, person, step)


def _turn(log: Log, question: Step, answer: Step, done: list[Step]) -> Turn:
    return Turn(
        run=log.id(_id(log, answer), "run"),
        message=_id(log, answer),
        reply_to=_id(log, question),
        assistant=writing.author(answer.get("name")),
        began=_at(done[0]) if done else _at(answer),
        ended=moment(answer.get("end")) or _at(answer),
        text=_output(answer),
        status="failed" if answer.get("isError") else "completed",
        steps=[_step(log, step) for step in done],
    )


def _step(log: Log, step: Step) -> Step:
    kind = KINDS.get(str(step.get("type")), "plugin")
    made = writing.step(
        _id(log, step), _at(step), kind, step.get("name"), input=step.get("input"), output=step.get("output")
    )
    return {**made, "status": "failed"} if step.get("isError") else made


def _feedback(log: Log, person: Author, step: Step) -> None:
    """Chainlit's 1 is up, its 0 is down."""
    given = step.get("feedback")
    if isinstance(given, dict) and given.get("value") in (0, 1):
        comment = writing.cut(writing.plain(given.get("comment")), 2000) or None
        rating = "up" if given["value"] else "down"
        data = {"message": _id(log, step), "rating": rating, "solved": False, "copied": False, "comment": comment}
        log.add("message:feedback", person, None, data)


def _id(log: Log, step: Step) -> str:
    return log.id("step", step["id"])


def _output(step: Step) -> str:
    """What was said; user messages of older versions have it as `input`."""
    return writing.plain(step.get("output")) or writing.plain(step.get("input"))


def _when(step: Step) -> float:
    at = _at(step)
    return at.timestamp() if at else 0.0


def _at(step: Step) -> Any:
    return moment(step.get("createdAt") or step.get("start"))
