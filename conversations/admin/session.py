"""Sessions: who was here, how long, why it ended, and a way to end one."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from chatproject.lib.admin import ReadOnlyAdmin, time_column
from chatproject.lib.ids import parse_id
from conversations import selectors
from conversations.admin import reading
from conversations.admin.acting import staff_of
from conversations.models import Session
from conversations.services import sessions, staff

MINUTE = timedelta(minutes=1)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Ending is for staff with `change_session`."""

    lookups = ("kind", "reason", "user", "ended_at", "started_at")
    list_display = ("id", "user", "kind", "client_id", "started", "seen", "ended", "reason")
    list_filter = ("kind", "reason", ("ended_at", admin.EmptyFieldListFilter), "started_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__name")
    search_help_text = _("Id of a session or a user, or name of a user")
    ordering = ("-started_at",)
    actions = ("end_selected",)
    fields = (("user", "kind"), ("client_id", "conversation"), ("started", "seen"), ("ended", "reason"))
    readonly_fields = ("started", "seen", "ended")

    started = time_column("started_at", _("started"))
    seen = time_column("last_seen", _("last seen"))
    ended = time_column("ended_at", _("ended"))

    def get_fields(self, request: HttpRequest, obj: Session | None = None) -> Any:
        """What a caller keeps in a session may be what somebody said."""
        return (*self.fields, "data") if reading.may_read(request) else self.fields

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Session, **kwargs: Any
    ) -> HttpResponse:
        if reading.may_read(request):
            staff.record_session_read(staff=staff_of(request), session=obj.id)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        id_ = parse_id(search_term.strip())
        if id_:
            return queryset.filter(Q(id=id_) | Q(user=id_)), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a line of figures above the list."""
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": _figures()})

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_session")

    @admin.action(description=_("End these sessions"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        found = list(queryset.filter(ended_at=None).values_list("id", flat=True))
        for id_ in found:
            sessions.end_as_staff(staff=staff_of(request), session=id_)
        text = ngettext("%(n)d session was ended.", "%(n)d sessions were ended.", len(found))
        messages.success(request, text % {"n": len(found)})


def _figures() -> str:
    found = selectors.session_figures()
    values = {"open": found.open, "hour": found.begun_last_hour, "peak": found.peak, "minutes": found.mean / MINUTE}
    text = _(
        "%(open)d open, %(hour)d begun in the last hour; in 24 hours %(peak)d at once, %(minutes).1f minutes on average"
    )
    return text % values
