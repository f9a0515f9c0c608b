"""The colours of states, the same on every page."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from conversations.assistants import registry
from conversations.models import Batch, Conversation, Export, Message, Report, Run

CONVERSATION = {
    Conversation.Status.OPEN: "success",
    Conversation.Status.WAITING: "warning",
    Conversation.Status.WITH_AGENT: "info",
    Conversation.Status.CLOSED: "default",
    Conversation.Status.ARCHIVED: "default",
}
RUN = {
    Run.Status.QUEUED: "default",
    Run.Status.RUNNING: "info",
    Run.Status.WAITING: "warning",
    Run.Status.COMPLETED: "success",
    Run.Status.STOPPED: "warning",
    Run.Status.FAILED: "danger",
    Run.Status.INTERRUPTED: "danger",
}
EXPORT = {
    Export.Status.QUEUED: "default",
    Export.Status.RUNNING: "info",
    Export.Status.COMPLETED: "success",
    Export.Status.FAILED: "danger",
    Export.Status.CANCELLED: "warning",
}
BATCH = {
    Batch.Status.QUEUED: "default",
    Batch.Status.RUNNING: "info",
    Batch.Status.COMPLETED: "success",
    Batch.Status.STOPPED: "warning",
}
REPORT = {
    Report.Status.QUEUED: "default",
    Report.Status.RUNNING: "info",
    Report.Status.COMPLETED: "success",
    Report.Status.FAILED: "danger",
}
MESSAGE = {
    Message.Status.STREAMING: "info",
    Message.Status.STOPPED: "warning",
    Message.Status.FAILED: "danger",
    Message.Status.INTERRUPTED: "danger",
}
STEP = {"running": "info", "completed": "success", "failed": "danger"}


class AssistantFilter(admin.SimpleListFilter):
    """By the assistants that there are: looking for all names in the table would read all of it."""

    title = _("assistant")
    parameter_name = "assistant"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(name, name) for name in registry.available()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(assistant=self.value()) if self.value() else queryset
