"""Conversations: a list, and one page with transcript, event log, members and runs side by side."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from chatproject.lib.admin import ReadOnlyAdmin, display, time_column
from chatproject.lib.ids import parse_id
from conversations import selectors
from conversations.admin import feedback, files, reading, states, timetravel
from conversations.admin.acting import attempt, staff_of
from conversations.models import Conversation, Member, Run
from conversations.services import exports, staff

MEMBERS_SHOWN = 100
RUNS_SHOWN = 20


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """Rebuilding is for staff with `change_conversation`; nothing else can be changed here."""

    lookups = ("status", "assistant", "updated_at", "owner", *Conversation.COUNTERS)
    list_filter = ("status", states.AssistantFilter, "updated_at", *feedback.filters())
    list_select_related = ("owner",)
    search_fields = ("owner__username", "owner__name")
    search_help_text = _("Id of a conversation, of who owns it or spoke in it lately, or name of an owner")
    ordering = ("-updated_at",)
    actions = ("rebuild_selected", "export_selected")
    change_form_template = "admin/conversations/conversation/change_form.html"

    class Media:
        css = {"all": ("conversations/admin.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(members_count=_count(Member), runs_count=_count(Run))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        id_ = parse_id(search_term.strip())
        if id_:
            spoken = selectors.conversations_holding(author_id=str(id_))
            return queryset.filter(Q(id=id_) | Q(owner=id_) | Q(id__in=spoken)), False
        return super().get_search_results(request, queryset, search_term)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        first = "titled" if reading.may_read(request) else "id"
        return (
            first,
            "owner",
            "state",
            "assistant",
            "head",
            "members_count",
            "runs_count",
            *Conversation.COUNTERS,
            "updated",
        )

    def get_fieldsets(self, request: HttpRequest, obj: Conversation | None = None) -> Any:
        content = (("metadata", "tags"),) if reading.may_read(request) else ()
        about = (("owner", "status"), ("assistant", "head"), ("created", "updated"), ("id", "epoch"))
        rows = (*about, Conversation.COUNTERS, *content)
        return ((None, {"fields": rows}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Conversation | None = None) -> tuple[str, ...]:
        return ("head", "created", "updated")

    created = time_column("created_at", _("created"))
    updated = time_column("updated_at", _("updated"))

    @display(description=_("conversation"), header=True)
    def titled(self, row: Conversation) -> tuple[reading.Text, UUID]:
        return reading.title(row), row.id

    @display(description=_("status"), ordering="status", label=states.CONVERSATION)
    def state(self, row: Conversation) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @display(description=_("head"), ordering="last_seq")
    def head(self, row: Conversation) -> str:
        return str(row.last_seq)

    @display(description=_("members"))
    def members_count(self, row: Any) -> str:
        return str(row.members_count)

    @display(description=_("runs"))
    def runs_count(self, row: Any) -> str:
        return str(row.runs_count)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        page = (response.context_data or {}).get("cl") if isinstance(response, TemplateResponse) else None
        if page and reading.may_read(request):
            shown = [row.id for row in page.result_list]
            staff.record_titles_seen(staff=staff_of(request), conversations=shown)
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Conversation, **kwargs: Any
    ) -> HttpResponse:
        readable = reading.may_read(request)
        window = reading.Window.ending(obj.last_seq, request.GET.get("before"))
        if readable:
            part = f"{window.first}-{window.last}"
            staff.record_reading(staff=staff_of(request), conversation=obj.id, what=part)
            context |= {"heading": reading.title(obj), "transcript": reading.transcript(obj, window)}
        context |= {
            "readable": readable,
            "may_rebuild": self.has_rebuild_permission(request),
            "window": window,
            "log": reading.log(obj, window, readable=readable),
            "opinions": feedback.opinions(obj, readable=readable),
            "members": obj.members.select_related("user").order_by("id")[:MEMBERS_SHOWN],
            "runs": obj.runs.order_by("-queued_seq")[:RUNS_SHOWN],
            "files": files.entries(obj, readable=readable),
        }
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def has_rebuild_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("conversations.change_conversation")

    def get_urls(self) -> list[URLPattern]:
        rebuild = self.admin_site.admin_view(require_POST(self.rebuild_view))
        one = path("<uuid:id>/rebuild/", rebuild, name="conversations_conversation_rebuild")
        return [one, *timetravel.urls(self.admin_site), *super().get_urls()]

    def rebuild_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        if not self.has_rebuild_permission(request):
            raise PermissionDenied
        if _rebuild(request, id):
            messages.success(request, gettext("The projections were rebuilt from the log."))
        return redirect("admin:conversations_conversation_change", id)

    @admin.action(description=_("Rebuild projections"), permissions=["rebuild"])
    def rebuild_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        done = sum(_rebuild(request, id_) for id_ in queryset.values_list("id", flat=True))
        text = ngettext("%(n)d conversation was rebuilt.", "%(n)d conversations were rebuilt.", done)
        messages.success(request, text % {"n": done})

    def has_export_permission(self, request: HttpRequest) -> bool:
        return reading.may_read(request)

    @admin.action(description=_("Export in the background"), permissions=["export"])
    def export_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        exports.start_as_staff(staff=staff_of(request), conversations=queryset)
        messages.success(request, gettext("The export was begun; you find it under “Your data”."))


def _rebuild(request: HttpRequest, id_: UUID) -> bool:
    return attempt(request, id_, lambda: staff.rebuild(staff=staff_of(request), conversation=id_))


def _count(model: type[Member] | type[Run]) -> Coalesce:
    rows = model._default_manager.filter(conversation=OuterRef("pk")).order_by()
    return Coalesce(Subquery(rows.values("conversation").annotate(n=Count("pk")).values("n")), 0)
