"""Logins and API keys, for staff: whose, since when, used when, and a way to end them."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import ApiKey, Login, User
from accounts.services import apikeys, logins
from chatproject.lib.admin import ReadOnlyAdmin, time_column
from chatproject.lib.ids import parse_id


class CredentialAdmin(ReadOnlyAdmin):
    """Found by the id of the row, or the id or name of its user."""

    list_select_related = ("user",)
    search_fields = ("user__username__startswith",)
    search_help_text = _("Id of this or of a user, or the beginning of a user name")
    ordering = ("-created_at", "-id")

    begun = time_column("created_at", _("begun"))
    used = time_column("last_used", _("last used"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        id_ = parse_id(search_term.strip())
        if id_:
            return queryset.filter(Q(id=id_) | Q(user=id_)), False
        return super().get_search_results(request, queryset, search_term)


@admin.register(Login)
class LoginAdmin(CredentialAdmin):
    """Ending is for staff with `change_login`."""

    lookups = ("kind", "reason", "user", "ended_at", "created_at")
    list_display = ("id", "user", "kind", "begun", "used", "ended", "reason", "address", "user_agent")
    list_filter = ("kind", "reason", ("ended_at", admin.EmptyFieldListFilter), "created_at")
    actions = ("end_selected",)
    fields = (("user", "kind"), ("begun", "used", "expires"), ("ended", "reason"), ("address", "user_agent"))
    readonly_fields = ("begun", "used", "expires", "ended")

    ended = time_column("ended_at", _("ended"))
    expires = time_column("expires_at", _("expires"))

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_login")

    @admin.action(description=_("End these logins"), permissions=["end"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        found = list(queryset.filter(ended_at=None).values_list("id", flat=True))
        for id_ in found:
            logins.end(login=id_, reason=Login.Reason.STAFF, actor=_staff(request).id)
        text = ngettext("%(n)d login was ended.", "%(n)d logins were ended.", len(found))
        messages.success(request, text % {"n": len(found)})


@admin.register(ApiKey)
class ApiKeyAdmin(CredentialAdmin):
    """Revoking is for staff with `change_apikey`."""

    lookups = ("user", "revoked_at", "created_at")
    list_display = ("prefix", "name", "user", "scopes", "begun", "used", "revoked")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_at")
    actions = ("revoke_selected",)
    fields = (("user", "name"), ("prefix", "scopes"), ("begun", "used", "revoked"))
    readonly_fields = ("begun", "used", "revoked")

    revoked = time_column("revoked_at", _("revoked"))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description=_("Revoke these keys"), permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        found = list(queryset.filter(revoked_at=None).values_list("id", flat=True))
        for id_ in found:
            apikeys.revoke(key=id_, actor=_staff(request))
        text = ngettext("%(n)d key was revoked.", "%(n)d keys were revoked.", len(found))
        messages.success(request, text % {"n": len(found)})


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
