"""The page on which people see what may act as them, and end it: API keys, and where they are logged in."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts import selectors
from accounts.identities import Scope
from accounts.models import Login, User
from accounts.services import apikeys, logins
from chatproject.lib.errors import Problem

# The latest logins, as many as one can look through.
LOGINS_SHOWN = 50


class KeyForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (Scope.READ.value, _("read conversations")),
            (Scope.WRITE.value, _("write, change and delete")),
            (Scope.ADMIN.value, _("manage the account: keys, log-ins, profile")),
        ],
        initial=[Scope.READ.value, Scope.WRITE.value],
    )


@never_cache
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """All keys and logins, and a form for a new key, whose secret is shown in the answer to it and never again."""
    form, secret = KeyForm(request.POST if request.method == "POST" else None), ""
    if form.is_valid():
        try:
            _key, secret = apikeys.create(user=_user(request), **form.cleaned_data)
            form = KeyForm()
        except Problem:
            form.add_error(None, _("You have as many keys as there may be. Revoke one first."))
    context = {
        "form": form,
        "secret": secret,
        "keys": selectors.keys_of(_user(request)).order_by("-created_at"),
        "logins": selectors.logins_of(_user(request)).order_by("-last_used")[:LOGINS_SHOWN],
        "current": request.identity.login,  # type: ignore[attr-defined]
        "days": settings.LOGIN_SECONDS // 86400,
    }
    return render(request, "account/keys.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def revoke(request: HttpRequest, id: UUID) -> HttpResponse:
    """Revoke a key; one that is gone already is no error."""
    if selectors.keys_of(_user(request)).filter(id=id).exists():
        apikeys.revoke(key=id, of=_user(request), actor=_user(request))
    return redirect("api_keys")


@require_POST
@login_required
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """Log out somewhere else."""
    if selectors.logins_of(_user(request)).filter(id=id).exists():
        logins.end(login=id, reason=Login.Reason.LOGOUT)
    return redirect("api_keys")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
