"""Connectors: what is connected, whether it works, and a button that finds out."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin

from chatproject.lib.admin import display, time_column
from conversations.admin.acting import attempt, staff_of
from conversations.admin.connector_form import LABELS, PREFIX, ConnectorForm
from conversations.assistants import buildstates
from conversations.assistants.isolation import breaker
from conversations.connectors.kind import secrets_set, table
from conversations.models import Connector
from conversations.services import connectors

HEALTH = {"": "default", "ok": "success", "failing": "danger"}
STATE = {"idle": "default", "building": "info", "ready": "success", "failed": "danger"}
STATES = {
    "idle": _("not asked yet"),
    "building": _("being set up"),
    "ready": _("ready"),
    "failed": _("could not be set up"),
}
BREAKER = {"closed": "success", "open": "danger", "half-open": "warning"}
BREAKERS = {
    "closed": _("closed: asked"),
    "open": _("open: left alone"),
    "half-open": _("half-open: tried soon"),
}


@admin.register(Connector)
class ConnectorAdmin(ModelAdmin):
    """Everything is written by the verbs, so that what the API refuses is refused here."""

    form = ConnectorForm
    change_form_template = "admin/conversations/connector/change_form.html"
    list_display = ("name", "what", "on", "works", "built", "calls", "version", "checked")
    list_filter = ("kind", "enabled", "health")
    search_fields = ("name", "description")
    ordering = ("name",)
    list_fullwidth = True
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": (("name", "kind"), "description", "enabled", "config")}),
        (_("Secrets"), {"fields": (*(f"{PREFIX}{name}" for name in LABELS), "forget")}),
    )

    class Media:
        css = {"all": ("conversations/admin.css",)}

    checked = time_column("checked_at", _("checked"))

    @display(description=_("kind"), ordering="kind")
    def what(self, row: Connector) -> str:
        kind = table().get(row.kind)
        return str(kind.title) if kind else row.kind

    @display(description=_("enabled"), label={True: "success", False: "default"}, ordering="enabled")
    def on(self, row: Connector) -> tuple[bool, str]:
        return row.enabled, str(_("enabled")) if row.enabled else str(_("disabled"))

    @display(description=_("health"), label=HEALTH, ordering="health")
    def works(self, row: Connector) -> tuple[str, str]:
        return row.health, row.get_health_display()

    @display(description=_("state"), label=STATE)
    def built(self, row: Connector) -> tuple[str, str]:
        state = buildstates.of(row.name, str(row.version))["state"]
        return state, str(STATES[state])

    @display(description=_("circuit breaker"), label=BREAKER)
    def calls(self, row: Connector) -> tuple[str, str]:
        state = breaker.state(row.name)
        return state, str(BREAKERS[state])

    def get_fieldsets(self, request: HttpRequest, obj: Connector | None = None) -> Any:
        """Who may only look has no fields for secrets."""
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return self.fieldsets if may else self.fieldsets[:1]

    def save_model(self, request: HttpRequest, obj: Connector, form: ModelForm, change: bool) -> None:
        assert isinstance(form, ConnectorForm)
        staff = staff_of(request)
        if change:
            connectors.change(staff=staff, connector=obj, changes=form.given)
        else:
            obj.pk = connectors.create(staff=staff, given=form.given).pk

    def delete_model(self, request: HttpRequest, obj: Connector) -> None:
        connectors.delete(staff=staff_of(request), connector=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Connector]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<uuid:id>/test/", test, name="conversations_connector_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """See whether it works, and say so on its page."""
        row = get_object_or_404(self.get_queryset(request), id=id)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if attempt(request, id, lambda: connectors.check(staff=staff_of(request), connector=row)):
            row.refresh_from_db()
            tell = messages.success if row.health == Connector.Health.OK else messages.error
            tell(request, f"{gettext('Tested')}: {row.health_detail}")
        return redirect("admin:conversations_connector_change", id)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        row = self.get_object(request, object_id) if object_id else None
        kept = [LABELS.get(name, name) for name, is_set in secrets_set(row).items() if is_set] if row else []
        more = {"kept": kept, "may_test": row and self.has_change_permission(request, row)}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **more})
