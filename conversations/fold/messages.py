"""Messages: their texts, and which of them are shown. What has left the window is passed over."""

from typing import Any

from chatproject.lib.clock import rfc3339
from conversations import past
from conversations.fold.rows import new_message, new_run
from conversations.fold.state import Fold, Json, on
from conversations.models import Event, Message


@on("message:new")
def _message_new(fold: Fold, event: Event) -> None:
    data = event.data
    given = {name: data.get(name) for name in ("run", "reply_to", "seen_seq", "custom")}
    row = new_message(event, parts=data.get("parts") or [], extra=data.get("extra") or {}, **given)
    fold.add_message(row)
    set_text(fold, row["id"], event)
    if data.get("run"):
        fold.add_run(new_run(event, reply_to=data["message"]), event.seq)


@on("message:edit")
def _message_edit(fold: Fold, event: Event) -> None:
    set_text(fold, event.data["message"], event)
    _change(fold, event, edited_at=rfc3339(event.at))


@on("message:delete")
def _message_delete(fold: Fold, event: Event) -> None:
    row = fold.messages.get(event.data["message"])
    if row is not None:
        show(row, event.seq, Message.Status.DELETED.value, row["selected"])


@on("message:pin")
def _message_pin(fold: Fold, event: Event) -> None:
    _change(fold, event, pinned=event.data["on"])


def _change(fold: Fold, event: Event, **fields: Any) -> None:
    row = fold.messages.get(event.data["message"])
    if row is not None:
        row |= {**fields, "changed_seq": event.seq}


@on("branch:select")
def _branch_select(fold: Fold, event: Event) -> None:
    message = event.data["message"]
    unselect(fold, event.data.get("branch_of") or message, event.seq, but=message)
    row = fold.messages.get(message)
    if row is not None:
        show(row, event.seq, row["status"], True)


def unselect(fold: Fold, group: str, seq: int, but: str | None = None) -> None:
    """Of a group of alternatives, show none (but the one that is chosen with the event `seq`)."""
    for id_ in {group, *fold.branches.get(group, ())} & fold.messages.keys() - {but}:
        show(fold.messages[id_], seq, fold.messages[id_]["status"], False)


def show(row: Json, seq: int, status: str, selected: bool) -> None:
    """Give a message another visibility, and keep the one that it had."""
    if (row["status"], row["selected"]) != (status, selected):
        row["past"].append({"until": seq, "status": row["status"], "selected": row["selected"]})
        row |= {"status": status, "selected": selected, "changed_seq": seq}


def set_text(fold: Fold, message: str, event: Event) -> None:
    """Give a message the text of `event`."""
    version = {"seq": event.seq, "event": str(event.id), "at": rfc3339(event.at)}
    _mark(fold, message, event.seq, bool(event.data.get("sensitive")), is_first=event.type != "message:edit")
    if message in fold.messages:
        _put_text(fold.messages[message], version, event)


def _put_text(row: Json, version: Json, written: Event) -> None:
    """`written` is the event that holds the text of `version`."""
    data = written.data
    row["versions"].append(version)
    row |= {
        "text": data["text"],
        "text_event": version["event"],
        "changed_seq": version["seq"],
        "tokens": past.tokens(data),
        "redacted": bool(data.get("redacted")),
        "sensitive": bool(data.get("sensitive")),
    }


def _mark(fold: Fold, message: str, seq: int, marked: bool, *, is_first: bool = False) -> None:
    """Count messages whose text is marked as sensitive, in the window or not. Not marked = not in the map."""
    marks = fold.sensitive.get(message) or ([] if is_first else [[0, False]])
    if marked != (marks[-1][1] if marks else False):
        fold.sensitive[message] = [*marks, [seq, marked]]
        fold.conversation["sensitive"] += 1 if marked else -1


@on("conversation:restore")
def _conversation_restore(fold: Fold, event: Event) -> None:
    """Texts and visibility become those at `to_seq`; everything else stays."""
    to_seq = event.data["to_seq"]
    changed = [row for row in fold.messages.values() if row["changed_seq"] > to_seq]
    _restore_texts(fold, event, changed, to_seq)
    for row in changed:
        show(row, event.seq, *past.visibility_at(row, to_seq))
    for message, marks in list(fold.sensitive.items()):
        at = [marked for seq, marked in marks if seq <= to_seq]
        _mark(fold, message, event.seq, (at or [marks[0][1]])[-1])


def _restore_texts(fold: Fold, event: Event, rows: list[Json], to_seq: int) -> None:
    wanted = {row["id"]: past.version_at(row["versions"], to_seq) for row in rows}
    back = {
        row["id"]: version for row in rows if (version := wanted[row["id"]]) and version["event"] != row["text_event"]
    }
    written = fold.read({past.source(version) for version in back.values()}) if back else {}
    for id_, version in back.items():
        text = written[past.source(version)]
        _put_text(fold.messages[id_], past.restored(version, event.seq, str(rfc3339(event.at))), text)
        fold.messages[id_]["edited_at"] = rfc3339(text.at) if text.type == "message:edit" else None
