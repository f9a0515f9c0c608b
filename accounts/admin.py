"""Users and groups, for staff, and how staff log in here; logins and keys are in credential_admin.py."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, AuthenticationForm, UserChangeForm, UserCreationForm

from accounts import audit, credential_admin  # noqa: F401  registers its pages
from accounts.auditadmin import AuditEntryAdmin
from accounts.limiting import take_login
from accounts.models import AuditEntry, User
from accounts.services import users
from chatproject.lib.admin import display, time_column

# What makes somebody more than a user: only superusers give it.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class StaffLoginForm(AuthenticationForm):
    """Django's own log-in counts as all others do."""

    def clean(self) -> dict[str, Any]:
        """Raises RateLimited."""
        take_login(str(self.cleaned_data.get("username", "")))
        return super().clean()


class PasswordForm(AdminPasswordChangeForm):
    """Stores the password by the verb, so that it ends the user's logins."""

    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit=False)
        users.save_as_staff(user=user, changed=["password"])
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Users are deactivated, never deleted: the logs of their conversations name them."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = PasswordForm
    list_display = ("identity", "email", "is_staff", "is_active", "active", "joined")
    list_filter = ("is_active", "is_staff", "is_superuser", "date_joined")
    search_fields = ("username", "name", "email")
    ordering = ("username",)
    list_fullwidth = True
    show_full_result_count = False
    warn_unsaved_form = True
    readonly_fields = ("id", "version", "auth_version", "active", "logged_in", "joined")
    fieldsets = (
        (None, {"fields": (("username", "name"), ("email", "language"), "password")}),
        (_("Permissions"), {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Dates"), {"fields": (("joined", "logged_in", "active"),)}),
        (_("For integrators"), {"fields": (("id", "version", "auth_version"), "preferences")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "email", "password1", "password2")}),)

    joined = time_column("date_joined", _("joined"))
    logged_in = time_column("last_login", _("last login"))
    active = time_column("last_active", _("last active"))

    @display(description=_("user"), ordering="username", header=True)
    def identity(self, user: User) -> tuple[str, str]:
        return user.username, user.name

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff who are no superusers may not touch those who are."""
        if obj and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *POWERS)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        users.save_as_staff(user=obj, changed=form.changed_data)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        self._audit(request, "user.created", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        self._audit(request, "user.changed", obj, message)
        return super().log_change(request, obj, message)

    def _audit(self, request: HttpRequest, action: str, user: User, message: Any) -> None:
        """`message` names the changed fields, not their values; Django calls this in the act's transaction."""
        assert isinstance(request.user.pk, UUID)
        audit.record(actor=request.user.pk, action=action, target=("user", user.pk), changes=message)


admin.site.login_form = StaffLoginForm
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Django's own, in the look of the rest."""


admin.site.register(AuditEntry, AuditEntryAdmin)
