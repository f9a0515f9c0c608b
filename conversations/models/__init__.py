"""What is durable. Everything but Event, the wrapped keys and the leases can be rebuilt from the log."""

from conversations.models.batch import Batch, BatchRow
from conversations.models.connector import Authorisation, Connector
from conversations.models.conversation import Conversation
from conversations.models.desk import DeskEntry
from conversations.models.embedding import Embedding, EmbeddingIndex, VectorField
from conversations.models.event import Event
from conversations.models.export import Export, ExportChunk, ExportItem
from conversations.models.feedback import Feedback
from conversations.models.file import File, FileChunk
from conversations.models.member import Member
from conversations.models.message import Message
from conversations.models.periodic import PeriodicJob
from conversations.models.report import Report, ReportFile, ReportSource, ReportTemplate
from conversations.models.room_state import RoomState
from conversations.models.run import Run, RunChunk
from conversations.models.searchentry import SearchEntry
from conversations.models.session import Session
from conversations.models.share import Share
from conversations.models.snapshot import Snapshot
from conversations.models.summary import Summary
from conversations.models.template import Template

__all__ = [
    "Authorisation",
    "Batch",
    "BatchRow",
    "Connector",
    "Conversation",
    "DeskEntry",
    "Embedding",
    "EmbeddingIndex",
    "Event",
    "Export",
    "ExportChunk",
    "ExportItem",
    "Feedback",
    "File",
    "FileChunk",
    "Member",
    "Message",
    "PeriodicJob",
    "Report",
    "ReportFile",
    "ReportSource",
    "ReportTemplate",
    "RoomState",
    "Run",
    "RunChunk",
    "SearchEntry",
    "Session",
    "Share",
    "Snapshot",
    "Summary",
    "Template",
    "VectorField",
]
