"""Shares: who gave what to strangers, how often it was opened, and a way to end it."""

from functools import partial
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from chatproject.lib.ids import parse_id
from conversations.admin.acting import attempt, staff_of
from conversations.models import Share
from conversations.services import shares


@admin.register(Share)
class ShareAdmin(ReadOnlyAdmin):
    """Revoking is for staff with `delete_share`. Links themselves are not to be had here: only hashes are stored."""

    lookups = ("created_at", "expires_at", "conversation", "created_by")
    list_display = ("id", "conversation_id", "created_by", "mode", "locked", "opened", "created", "expires")
    list_filter = ("created_at", "expires_at")
    list_select_related = ("created_by",)
    search_fields = ("created_by__username", "created_by__name")
    search_help_text = _("Id of a share, a conversation or a user, or name of a user")
    ordering = ("-created_at",)
    actions = ("revoke_selected",)
    fields = (("conversation", "report", "created_by"), ("mode", "locked"), ("opened",), ("created", "expires"))
    readonly_fields = ("mode", "locked", "opened", "created", "expires")

    created = time_column("created_at", _("created"))
    expires = time_column("expires_at", _("expires"))

    @display(description=_("what it shows"), ordering="seq")
    def mode(self, row: Share) -> str:
        if row.report_id:
            return str(_("a report"))
        return str(_("live") if row.live else _("fixed at %(seq)s") % {"seq": row.seq})

    @display(description=_("password"), boolean=True)
    def locked(self, row: Share) -> bool:
        return bool(row.password)

    @display(description=_("views"), ordering="views")
    def opened(self, row: Share) -> str:
        return f"{row.views}/{row.max_views}" if row.max_views else str(row.views)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        id_ = parse_id(search_term.strip())
        if id_:
            return queryset.filter(Q(id=id_) | Q(conversation=id_) | Q(created_by=id_)), False
        return super().get_search_results(request, queryset, search_term)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.delete_share")

    @admin.action(description=_("Revoke these links"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        found = list(queryset.values_list("id", flat=True))
        done = sum(attempt(request, id_, partial(_revoke, request, id_)) for id_ in found)
        text = ngettext("%(n)d link was revoked.", "%(n)d links were revoked.", done)
        messages.success(request, text % {"n": done})


def _revoke(request: HttpRequest, share: UUID) -> None:
    shares.revoke_as_staff(staff=staff_of(request), share=share)
