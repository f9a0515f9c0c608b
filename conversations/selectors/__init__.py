"""The one way out: reads, always through what the asking user may see.

Functions that take a `user` check membership; those that do not are for callers that already did
(a room, a worker), and say so.
"""

from conversations.selectors.contexts import (
    asked,
    in_front,
    kept,
    light,
    pictures,
    places,
    said_between,
    sendable,
    summaries,
    system_messages,
    texts,
    told,
    told_by_events,
    tool_runs,
)
from conversations.selectors.conversations import (
    conversation_for,
    member_rows,
    members,
    role_of,
    standing_of,
    visible_conversations,
    wire_conversation,
)
from conversations.selectors.exports import export_for, exported_items, exports
from conversations.selectors.files import file_for, files
from conversations.selectors.log import events, events_for, head, heads, seq_before, snapshot, standing
from conversations.selectors.messages import (
    message,
    message_text,
    messages,
    names_of_files,
    transcript,
    versions,
    wire_messages,
)
from conversations.selectors.runs import answer, ended_run, run_for, running_tails, running_texts, stored_lengths
from conversations.selectors.sessions import session_figures, session_for, sessions_ended_within, sessions_of
from conversations.selectors.snapshots import conversations_holding, snapshot_at, snapshots, wire_snapshot
from conversations.selectors.states import room_state, states_within
from conversations.selectors.streams import (
    Change,
    Look,
    conversation_ids,
    heads_at,
    lively,
    look,
    stream_now,
)
from conversations.selectors.templates import offered, template_for, templates

__all__ = [
    "Change",
    "Look",
    "answer",
    "asked",
    "conversation_for",
    "conversation_ids",
    "conversations_holding",
    "ended_run",
    "events",
    "events_for",
    "export_for",
    "exported_items",
    "exports",
    "file_for",
    "files",
    "head",
    "heads",
    "heads_at",
    "in_front",
    "kept",
    "light",
    "lively",
    "look",
    "member_rows",
    "members",
    "message",
    "message_text",
    "messages",
    "names_of_files",
    "offered",
    "pictures",
    "places",
    "role_of",
    "room_state",
    "run_for",
    "running_tails",
    "running_texts",
    "said_between",
    "sendable",
    "seq_before",
    "session_figures",
    "session_for",
    "sessions_ended_within",
    "sessions_of",
    "snapshot",
    "snapshot_at",
    "snapshots",
    "standing",
    "standing_of",
    "states_within",
    "stored_lengths",
    "stream_now",
    "summaries",
    "system_messages",
    "template_for",
    "templates",
    "texts",
    "told",
    "told_by_events",
    "tool_runs",
    "transcript",
    "versions",
    "visible_conversations",
    "wire_conversation",
    "wire_messages",
    "wire_snapshot",
]
