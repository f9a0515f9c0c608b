"""Exports of many conversations: who asked for them, and how far they are."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from conversations.admin import states
from conversations.models import Export


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """They are begun from the list of conversations. Only who asked for one can download it,
    on the page "Your data"."""

    lookups = ("status", "by_staff", "created_at", "user")
    list_display = ("id", "user", "by_staff", "state", "made", "bytes", "created", "expires")
    list_filter = ("status", "by_staff", "created_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__name")
    ordering = ("-created_at",)
    fields = (("user", "by_staff"), ("status", "made"), ("created", "ended"), ("expires", "bytes"))
    readonly_fields = ("made", "created", "ended", "expires")

    created = time_column("created_at", _("created"))
    ended = time_column("ended_at", _("ended"))
    expires = time_column("expires_at", _("expires"))

    @display(description=_("status"), ordering="status", label=states.EXPORT)
    def state(self, row: Export) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("progress"))
    def made(self, row: Export) -> SafeString:
        return format_html('<progress max="{}" value="{}"></progress> {}/{}', row.total, row.done, row.done, row.total)
