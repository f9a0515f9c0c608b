"""Batches: who asked for them, and how far they are. What is asked is read in the conversations."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from conversations.admin import states
from conversations.models import Batch


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """Only who asked for one can stop it, and download what was answered."""

    lookups = ("status", "created_at", "user", "assistant", "per_conversation")
    list_display = ("id", "user", "assistant", "per_conversation", "state", "made", "failures", "created", "ended")
    list_filter = ("status", states.AssistantFilter, "per_conversation", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__name")
    ordering = ("-created_at",)
    fields = (
        ("user", "assistant"),
        ("status", "per_conversation"),
        ("made", "failures"),
        ("created", "started", "ended"),
    )
    readonly_fields = ("made", "failures", "created", "started", "ended")

    created = time_column("created_at", _("created"))
    started = time_column("started_at", _("started"))
    ended = time_column("ended_at", _("ended"))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return Batch.objects.counted()

    @display(description=_("status"), ordering="status", label=states.BATCH)
    def state(self, row: Batch) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("progress"))
    def made(self, row: Any) -> SafeString:
        ended = row.done + row.failed + row.halted
        return format_html('<progress max="{}" value="{}"></progress> {}/{}', row.total, ended, ended, row.total)

    @display(description=_("failed"))
    def failures(self, row: Any) -> int:
        return int(row.failed)
