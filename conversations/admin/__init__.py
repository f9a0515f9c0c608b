"""Conversations, their runs, logs and templates, for staff. One file per model; `reading` decides what is shown."""

from conversations.admin.batch import BatchAdmin
from conversations.admin.connector import ConnectorAdmin
from conversations.admin.conversation import ConversationAdmin
from conversations.admin.desk import DeskAdmin
from conversations.admin.embedding import EmbeddingIndexAdmin
from conversations.admin.export import ExportAdmin
from conversations.admin.report import ReportAdmin, ReportTemplateAdmin
from conversations.admin.run import RunAdmin
from conversations.admin.session import SessionAdmin
from conversations.admin.share import ShareAdmin
from conversations.admin.template import TemplateAdmin

__all__ = [
    "BatchAdmin",
    "ConnectorAdmin",
    "ConversationAdmin",
    "DeskAdmin",
    "EmbeddingIndexAdmin",
    "ExportAdmin",
    "ReportAdmin",
    "ReportTemplateAdmin",
    "RunAdmin",
    "SessionAdmin",
    "ShareAdmin",
    "TemplateAdmin",
]
