"""A conversation as Markdown for people.

Each text is a block quote: whatever it opens (code fences, HTML comments, lists, headings) ends with it.
"""

import re
from collections.abc import Sequence

from chatproject.lib.clock import rfc3339
from conversations import wire
from conversations.models import Conversation, Message

# What has a meaning within a line of Markdown (CommonMark 0.31, 6).
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
_SPACE = re.compile(r"\s+")


def heading(row: Conversation) -> str:
    title = wire.title(row) or "Conversation"
    return f"# {plain(title)}\n\n`{row.id}` · {_minute(rfc3339(row.created_at))}\n"


def message(row: Message, files: Sequence[str] = ()) -> str:
    """Who, when, what else is to be known, the text, and the names of the files that it carries."""
    notes = [row.status] if row.status != Message.Status.COMPLETE else []
    notes += [name for name in ("pinned", "redacted") if getattr(row, name, False)]
    notes += ["edited"] if getattr(row, "edited_at", None) else []
    head = " · ".join([f"**{plain(row.author_name)}**", _minute(rfc3339(row.created_at)), *notes])
    carried = "".join(f"\n- {plain(name)}" for name in files)
    return f"\n{head}\n\n{quoted(wire.message_text(row))}\n" + (f"{carried}\n" if carried else "")


def plain(text: str) -> str:
    """`text` in one line, with nothing in it that Markdown would take for markup."""
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", text).strip())


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines()) or ">"


def _minute(time: str | None) -> str:
    return f"{time[:10]} {time[11:16]} UTC" if time else ""
