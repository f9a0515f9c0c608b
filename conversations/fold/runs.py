"""Turns of assistants."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations import asking, past
from conversations.fold.messages import set_text, unselect
from conversations.fold.rows import new_message, new_run
from conversations.fold.state import Fold, on
from conversations.models import Event, Message, Run


@on("run:queue")
def _run_queue(fold: Fold, event: Event) -> None:
    data = event.data
    fold.add_run(new_run(event, reply_to=data["reply_to"]), data.get("reply_seq", event.seq))


@on("run:start")
def _run_start(fold: Fold, event: Event) -> None:
    data = event.data
    if data["run"] in fold.runs:
        fold.runs[data["run"]] |= {
            "status": Run.Status.RUNNING.value, "message": data["message"], "version": data.get("version"),
            "started_at": rfc3339(event.at),
        }  # fmt: skip
    if data.get("branch_of"):
        unselect(fold, data["branch_of"], event.seq)
    answer: dict[str, Any] = {
        "role": Message.Role.ASSISTANT.value,
        "status": Message.Status.STREAMING.value,
        "run": data["run"],
        "reply_to": data["reply_to"],
        "anchor": fold.anchors.pop(data["run"], event.seq),
        "branch_of": data.get("branch_of"),
    }
    fold.add_message(new_message(event, **answer))
    fold.conversation["active_run"] = data["run"]


@on("run:step")
def _run_step(fold: Fold, event: Event) -> None:
    run = fold.runs[event.data["run"]]
    others = [step for step in run["steps"] if step["step"] != event.data["step"]]
    run["steps"] = [*others, {**event.data, "event": str(event.id)}]
    run["usage"] = event.data.get("usage") or run["usage"]


@on("run:ask")
def _run_ask(fold: Fold, event: Event) -> None:
    run = fold.runs[event.data["run"]]
    run |= {"steps": asking.asked(run["steps"], event), "status": Run.Status.WAITING.value}
    run["usage"] = event.data.get("usage") or run["usage"]


@on("run:answer")
def _run_answer(fold: Fold, event: Event) -> None:
    run = fold.runs[event.data["run"]]
    run |= {"steps": asking.answered(run["steps"], event), "status": Run.Status.RUNNING.value}


@on("run:end")
def _run_end(fold: Fold, event: Event) -> None:
    data = event.data
    fold.runs[data["run"]] |= {
        "steps": asking.closed(fold.runs[data["run"]]["steps"]),
        "status": data["status"],
        "usage": data.get("usage"),
        "error": data.get("error"),
        "end_event": str(event.id),
        "ended_at": rfc3339(event.at),
        **({"team": data["team"]} if data.get("team") else {}),
    }
    fold.drop_run(data["run"])
    if data["message"]:
        set_text(fold, data["message"], event)
        _set_status(fold, data["message"], past.ANSWERS[data["status"]])
        _set_parts(fold, data["message"], data.get("parts"))
    if fold.conversation["active_run"] == data["run"]:
        fold.conversation["active_run"] = None


def _set_status(fold: Fold, message: str, status: str) -> None:
    row = fold.messages.get(message)
    if row is not None:
        row["past"] = past.ended(row["past"], status)
        row["status"] = status if row["status"] == past.STREAMING else row["status"]


def _set_parts(fold: Fold, message: str, parts: list[dict[str, Any]] | None) -> None:
    row = fold.messages.get(message)
    if row is not None and parts:
        row["parts"] = parts
