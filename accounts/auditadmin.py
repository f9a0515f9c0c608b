"""The audit trail for auditors: found by who, what, on what, from where and when, and taken out as a file."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import audit
from accounts.auditexport import FORMS
from accounts.models import AuditEntry, User
from chatproject.lib import clock
from chatproject.lib.admin import ReadOnlyAdmin, display, time_column

# Filters offer what the latest so many entries have.
LATEST = 10_000


class Found(admin.SimpleListFilter):
    """Offers the values of a column."""

    column = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        latest = AuditEntry.objects.order_by("-at").values_list(self.column, flat=True)[:LATEST]
        return [(value, value) for value in sorted(set(latest))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


class ByAction(Found):
    title = _("action")
    parameter_name = column = "action"


class ByTarget(Found):
    title = _("kind of target")
    parameter_name = column = "target_type"


class AuditEntryAdmin(ReadOnlyAdmin):
    lookups = ("at", "actor", "action", "target_type", "target_id", "address", "request_id")
    list_display = ("when", "actor_name", "action", "target_type", "target_id", "address")
    list_display_links = ("when",)
    list_filter = (ByAction, ByTarget, "at")
    list_select_related = ("actor",)
    list_per_page = 100
    date_hierarchy = "at"
    search_fields = (
        "action__startswith",
        "target_id__startswith",
        "actor__username__startswith",
        "address__startswith",
        "request_id__startswith",
    )
    search_help_text = _("The beginning of an action, of an id, of a user name, of an address, or of a request")
    ordering = ("-at", "-id")
    readonly_fields = ("when",)
    fields = (("when", "actor"), "action", ("target_type", "target_id"), ("address", "request_id"), "detail")
    actions = ("export_csv", "export_jsonl")

    when = time_column("at", _("at"))

    @display(description=_("actor"), ordering="actor__username")
    def actor_name(self, entry: AuditEntry) -> str | None:
        return entry.actor.username if entry.actor else None

    @admin.action(description=_("Export as CSV"))
    def export_csv(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> StreamingHttpResponse:
        return _export(request, entries, "csv")

    @admin.action(description=_("Export as JSONL"))
    def export_jsonl(self, request: HttpRequest, entries: QuerySet[AuditEntry]) -> StreamingHttpResponse:
        return _export(request, entries, "jsonl")


def _export(request: HttpRequest, entries: QuerySet[AuditEntry], form: str) -> StreamingHttpResponse:
    """The selected entries as they are now; that they were taken out is an entry itself."""
    assert isinstance(request.user, User)
    target = ("audit", "entries")
    audit.record(actor=request.user.id, action="audit.exported", target=target, form=form, entries=entries.count())
    kind, write = FORMS[form]
    name = f"audit-{clock.now():%Y%m%d-%H%M%S}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(write(entries), content_type=kind, headers=headers)
