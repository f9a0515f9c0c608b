"""How far semantic search has come with the texts."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from conversations.models import EmbeddingIndex


@admin.register(EmbeddingIndex)
class EmbeddingIndexAdmin(ReadOnlyAdmin):
    """One row per model; the rows are written by search/embedding.py."""

    lookups = ("status",)
    list_display = ("model", "status", "progress", "dimensions", "updated", "error")
    fields = ("model", "status", "progress", "dimensions", "error", "updated")
    readonly_fields = ("progress", "updated")
    updated = time_column("updated_at", _("updated"))

    @display(description=_("progress"))
    def progress(self, index: EmbeddingIndex) -> str:
        """Texts that have a vector, of those that were there when the index was begun, or are there now."""
        total = max(index.total, index.done)
        return f"{index.done} / {total} ({index.done * 100 // total} %)" if total else "0"
