"""The report of what a run was sent: stored without texts that the log has, shown with them."""

from typing import Any
from uuid import UUID

from conversations import event_types, keys, selectors
from conversations.context import tools
from conversations.context.digests import MARK
from conversations.context.result import Call, Context, Line
from conversations.models import Run

Json = dict[str, Any]

NOTHING: Json = {
    "model": None,
    "strategy": None,
    "max_tokens": None,
    "max_messages": None,
    "tokens": 0,
    "left_out": [],
    "left_out_before": None,
    "summarised": [],
    "pictures": [],
}


def stored(context: Context, conversation: UUID, run: UUID) -> Json:
    """What Run.context keeps. Texts of the log are named by their seq (`event`) there; others, such as the system
    prompt and summaries, are envelopes."""
    key = keys.of(conversation)
    sent = []
    for number, line in enumerate(context.lines):
        entry = {"role": line.role, "tokens": line.tokens, "seq": line.seq, "kept": line.kept, **line.origin}
        if not line.origin:
            entry["text"] = key.seal(line.text, event_types.context(conversation, run, f"context.{number}"))
        sent.append({name: value for name, value in entry.items() if value is not None})
    counts = {"sent": len(sent), "left_out": len(context.left_out), "summarised": len(context.summarised)}
    return {**context.outline(), "encoding": context.terms.encoding, "counts": counts, "sent": sent}


def public(run: Run) -> Json:
    """The shape `context` of PROTOCOL.md section 3, of what the run was sent: with the texts of then, whatever
    became of the messages. A run that was sent nothing (yet) has no messages."""
    if run.context is None:
        return {**NOTHING, "messages": []}
    outline = {name: run.context.get(name, nothing) for name, nothing in NOTHING.items()}
    return {**outline, "messages": [line.public() for line in lines(run)]}


def lines(run: Run) -> list[Line]:
    """What was sent. Raises CryptoError, Problem `not_found` where the content was erased."""
    sent = run.context["sent"] if run.context else []
    said = selectors.told_by_events(run.conversation_id, [entry["event"] for entry in sent if "event" in entry])
    called = selectors.tool_runs({UUID(entry["run"]) for entry in sent if "run" in entry})
    return [_line(run, number, entry, said, called) for number, entry in enumerate(sent)]


def _line(run: Run, number: int, entry: Json, said: dict[int, str], called: dict[UUID, Run]) -> Line:
    text, call = "", None
    if "event" in entry:
        text = f"{entry['voice']}: {said[entry['event']]}" if "voice" in entry else said[entry["event"]]
    elif "text" in entry:
        place = event_types.context(run.conversation_id, run.id, f"context.{number}")
        text = keys.of(run.conversation_id).open(entry["text"], place)
    else:
        call, result = _exchange(called[UUID(entry["run"])], entry["step"])
        text = result if entry["role"] == "tool" else ""
    kept = entry.get("kept")
    # Envelopes hold what was sent; texts of the log are cut as they were.
    if kept is not None and "event" in entry:
        text = text[:kept] + MARK
    return Line(entry["role"], text, entry["tokens"], entry.get("seq"), call, kept)


def _exchange(run: Run, step: str) -> tuple[Call, str]:
    return tools.exchange(run, next(one for one in run.steps if one["step"] == step))
