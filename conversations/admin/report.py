"""Reports and their templates: who had them made, and how far they are. What stands in them is for their users."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from conversations.admin import states
from conversations.models import Report, ReportTemplate


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    """Only who had one made can download it, and share it."""

    lookups = ("status", "form", "created_at", "user", "template")
    list_display = ("id", "user", "template", "form", "state", "bytes", "created", "ended")
    list_filter = ("status", "form", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__name")
    ordering = ("-created_at",)
    fields = (("user", "template"), ("status", "form"), "bytes", ("created", "ended"))
    readonly_fields = ("created", "ended")

    created = time_column("created_at", _("created"))
    ended = time_column("ended_at", _("ended"))

    @display(description=_("status"), ordering="status", label=states.REPORT)
    def state(self, row: Report) -> tuple[str, str]:
        return row.status, row.get_status_display()


@admin.register(ReportTemplate)
class ReportTemplateAdmin(ReadOnlyAdmin):
    """Those without a user are shared with everybody."""

    lookups = ("kind", "user")
    list_display = ("key", "name", "user", "kind", "updated")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("key", "name", "user__username")
    ordering = ("key",)
    fields = (("key", "name"), ("user", "kind"), ("created", "updated"))
    readonly_fields = ("created", "updated")

    created = time_column("created_at", _("created"))
    updated = time_column("updated_at", _("updated"))
