"""Runs: what an assistant did, who holds the lease, and a way to stop it."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from chatproject.lib.admin import ReadOnlyAdmin, display, list_action, time_column
from chatproject.lib.ids import parse_id
from conversations.admin import reading, states
from conversations.admin.acting import attempt, staff_of
from conversations.admin.routing import routing_view
from conversations.admin.usage import usage_view
from conversations.api.usage import VIEW_USAGE
from conversations.models import Run
from conversations.services import runs, staff


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Stopping is for staff with `change_run`."""

    lookups = ("status", "assistant", "queued_at", "conversation")
    list_display = ("id", "state", "assistant", "of", "queued", "took", "worker")
    list_filter = ("status", states.AssistantFilter, "queued_at")
    search_fields = ("worker__startswith",)
    search_help_text = _("Id of a run or of a conversation, or the beginning of a worker's name")
    ordering = ("-id",)
    actions = ("stop_selected",)
    actions_list = ("try_routing", "show_usage")
    change_form_template = "admin/conversations/run/change_form.html"
    readonly_fields = ("queued", "started", "ended", "took", "lease", "thread", "used")
    fields = (
        ("status", "assistant", "version"),
        ("thread", "id"),
        ("queued", "started"),
        ("ended", "took"),
        ("worker", "lease"),
        ("fence", "stored"),
        "used",
    )

    class Media:
        css = {"all": ("conversations/admin.css",)}

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        id_ = parse_id(search_term.strip())
        if id_:
            return queryset.filter(id=id_) | queryset.filter(conversation=id_), False
        return super().get_search_results(request, queryset, search_term)

    queued = time_column("queued_at", _("queued"))
    started = time_column("started_at", _("started"))
    ended = time_column("ended_at", _("ended"))
    lease = time_column("lease_until", _("lease until"))

    @display(description=_("conversation"), ordering="conversation_id")
    def of(self, run: Run) -> UUID:
        return run.conversation_id

    @display(description=_("status"), ordering="status", label=states.RUN)
    def state(self, run: Run) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @display(description=_("took"))
    def took(self, run: Run) -> str | None:
        if run.started_at is None or run.ended_at is None:
            return None
        return gettext("%(n).1f s") % {"n": (run.ended_at - run.started_at).total_seconds()}

    @display(description=_("conversation"))
    def thread(self, run: Run) -> SafeString:
        url = reverse("admin:conversations_conversation_change", args=[run.conversation_id])
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', url, run.conversation_id
        )

    @display(description=_("tokens"))
    def used(self, run: Run) -> str | None:
        return json.dumps(run.usage) if run.usage else None

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Run, **kwargs: Any
    ) -> HttpResponse:
        readable = reading.may_read(request)
        if readable:
            staff.record_reading(staff=staff_of(request), conversation=obj.conversation_id, what=f"run {obj.id}")
        context |= {
            "readable": readable,
            "may_stop": obj.ended_at is None and self.has_stop_permission(request),
            "steps": reading.steps(obj, readable=readable),
            "report": reading.report(obj, readable=readable),
            "failed": obj.error is not None,
            "error": reading.error(obj) if readable else None,
        }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_run")

    def get_urls(self) -> list[URLPattern]:
        stop = self.admin_site.admin_view(require_POST(self.stop_view))
        return [path("<uuid:id>/stop/", stop, name="conversations_run_stop"), *super().get_urls()]

    def stop_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        if not self.has_stop_permission(request):
            raise PermissionDenied
        if _stop(request, get_object_or_404(Run, id=id)):
            messages.success(request, gettext("The run was stopped; what it had said is kept."))
        return redirect("admin:conversations_run_change", id)

    @list_action(description=_("Which assistant answers"), url_path="routing", icon="alt_route", permissions=["view"])
    def try_routing(self, request: HttpRequest) -> HttpResponse:
        return routing_view(self.admin_site, request)

    @list_action(description=_("Usage and cost"), url_path="usage", icon="calculate", permissions=["usage"])
    def show_usage(self, request: HttpRequest) -> HttpResponse:
        return usage_view(self.admin_site, request)

    def has_usage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_USAGE)

    @admin.action(description=_("Stop run"), permissions=["stop"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        done = sum(_stop(request, run) for run in queryset)
        text = ngettext("%(n)d run was stopped.", "%(n)d runs were stopped.", done)
        messages.success(request, text % {"n": done})


def _stop(request: HttpRequest, run: Run) -> bool:
    return attempt(request, run.id, lambda: runs.stop_as_staff(staff=staff_of(request), run=run).result())
