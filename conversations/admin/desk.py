"""The agents' desk: what waits for a person, the longest waiting first, and what people are at; claim, hand back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.services import users
from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from conversations import selectors
from conversations.admin import reading, states
from conversations.admin.acting import attempt, staff_of
from conversations.models import DeskEntry
from conversations.permissions import ANSWER
from conversations.services import handoff, staff


@admin.register(DeskEntry)
class DeskAdmin(ReadOnlyAdmin):
    """For staff who may `answer_as_agent`. Titles and reasons are shown, since they say whom to help next, and every
    look leaves an audit entry; the rest is read after claiming."""

    list_display = ("titled", "state", "why", "owner", "agent_name", "since", "acts")
    list_display_links = None
    actions = None

    class Media:
        css = {"all": ("conversations/admin.css",)}

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ANSWER)

    def has_view_permission(self, request: HttpRequest, obj: DeskEntry | None = None) -> bool:
        return request.user.has_perm(ANSWER)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        mine = Case(When(agent=request.user.pk, then=Value(True)), default=Value(False))
        return selectors.desk().annotate(mine=mine)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("rank", "handed_at", "id")

    since = time_column("handed_at", _("since"))

    @display(description=_("conversation"))
    def titled(self, row: DeskEntry) -> reading.Text:
        return reading.title(row)

    @display(description=_("status"), label=states.CONVERSATION)
    def state(self, row: DeskEntry) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("reason"))
    def why(self, row: Any) -> reading.Text | None:
        return reading.opened(lambda: selectors.reason_of(row)) if row.reason else None

    @display(description=_("agent"))
    def agent_name(self, row: DeskEntry) -> str | None:
        return users.display_names([row.agent]).get(row.agent) if row.agent else None

    @display(description="")
    def acts(self, row: DeskEntry) -> str:
        """Buttons of the form that is around the list."""
        return render_to_string("admin/conversations/_desk_acts.html", {"row": row})

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, {**(extra_context or {}), "title": gettext("Agents' desk")})
        page = (response.context_data or {}).get("cl") if isinstance(response, TemplateResponse) else None
        if page:
            shown = [row.id for row in page.result_list]
            staff.record_titles_seen(staff=staff_of(request), conversations=shown)
        return response

    def get_urls(self) -> list[URLPattern]:
        """No page of an entry: the conversation's own is where agents answer."""
        listed, *_others = super().get_urls()
        claim = self.admin_site.admin_view(require_POST(self.claim_view))
        release = self.admin_site.admin_view(require_POST(self.release_view))
        return [
            listed,
            path("<uuid:id>/claim/", claim, name="conversations_deskentry_claim"),
            path("<uuid:id>/release/", release, name="conversations_deskentry_release"),
        ]

    def claim_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Who has claimed it is led to it; who was too late is told by whom it was taken."""
        if self._act(request, id, handoff.claim):
            return redirect("thread", id)
        return redirect("admin:conversations_deskentry_changelist")

    def release_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        if self._act(request, id, handoff.release):
            messages.success(request, gettext("Assistants answer there again."))
        return redirect("admin:conversations_deskentry_changelist")

    def _act(self, request: HttpRequest, id_: UUID, verb: Callable[..., Any]) -> bool:
        if not self.has_view_permission(request):
            raise PermissionDenied
        user: User = staff_of(request)
        return attempt(request, id_, lambda: verb(user=user, conversation=id_).result())
