"""The one public JSON form of everything (PROTOCOL.md sections 3 and 4), for every door alike."""

from conversations.wire.assistants import assistant, connector
from conversations.wire.batches import batch
from conversations.wire.conversations import conversation, member, title
from conversations.wire.events import event, opened, stored_event, stored_events
from conversations.wire.files import file, file_name, file_text
from conversations.wire.messages import NO_FEEDBACK, feedback, message, message_text, versions
from conversations.wire.offers import export, template
from conversations.wire.reports import report, report_template
from conversations.wire.rooms import register, room_state, session, state_context, state_set
from conversations.wire.runs import run, run_error, step
from conversations.wire.shares import label, share, shared_message

__all__ = [
    "NO_FEEDBACK",
    "assistant",
    "batch",
    "connector",
    "conversation",
    "event",
    "export",
    "feedback",
    "file",
    "file_name",
    "file_text",
    "label",
    "member",
    "message",
    "message_text",
    "opened",
    "register",
    "report",
    "report_template",
    "room_state",
    "run",
    "run_error",
    "session",
    "share",
    "shared_message",
    "state_context",
    "state_set",
    "step",
    "stored_event",
    "stored_events",
    "template",
    "title",
    "versions",
]
