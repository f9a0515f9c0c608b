"""Templates of conversations: the one thing about conversations that staff write here."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from chatproject.lib.admin import display, time_column
from conversations.admin.acting import staff_of
from conversations.admin.template_form import TemplateForm
from conversations.models import Template
from conversations.services import templates
from conversations.templating import filling, inputs, variables


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    """Everything is written by the verbs, so that what the API refuses is refused here."""

    form = TemplateForm
    change_form_template = "admin/conversations/template/change_form.html"
    list_display = ("name", "slug", "assistant", "offered", "asks_for", "version", "updated")
    list_filter = ("active", "visibility")
    search_fields = ("name", "slug", "description")
    ordering = ("name",)
    list_fullwidth = True
    warn_unsaved_form = True
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": (("name", "slug"), "description", ("active", "visibility"))}),
        (_("What the conversation gets"), {"fields": (("title", "assistant"), "system", "pinned", "tags", "metadata")}),
    )

    class Media:
        css = {"all": ("conversations/admin.css",)}

    updated = time_column("updated_at", _("updated"))

    @display(description=_("offered to"), label={True: "success", False: "default"})
    def offered(self, row: Template) -> tuple[bool, str]:
        return row.active, row.get_visibility_display() if row.active else str(_("nobody"))

    @display(description=_("asks for"))
    def asks_for(self, row: Template) -> str:
        return ", ".join(variable["name"] for variable in row.variables)

    def save_model(self, request: HttpRequest, obj: Template, form: ModelForm, change: bool) -> None:
        assert isinstance(form, TemplateForm)
        staff = staff_of(request)
        if change:
            templates.change(staff=staff, template=obj, changes=form.given)
        else:
            obj.pk = templates.create(staff=staff, given=form.given).pk

    def delete_model(self, request: HttpRequest, obj: Template) -> None:
        templates.delete(staff=staff_of(request), template=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Template]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_urls(self) -> list[URLPattern]:
        preview = self.admin_site.admin_view(self.preview_view)
        return [path("<uuid:id>/preview/", preview, name="conversations_template_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """What a conversation would get; without inputs, the labels stand in their places."""
        row = get_object_or_404(self.get_queryset(request), id=id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        asked = variables.of(row.variables)
        form = inputs.form_class(asked)(request.GET or None)
        values = form.values() if form.is_valid() else {one.name: f"⟨{one.label or one.name}⟩" for one in asked}
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": row.name,
            "opts": self.opts,
            "original": row,
            "asked": form,
            "filled": filling.with_values(row, values),
        }
        return TemplateResponse(request, "admin/conversations/template/preview.html", context)
