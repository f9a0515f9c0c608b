"""Pages about the user beside those of allauth."""

from allauth.account.models import EmailAddress
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts import keypairs
from accounts.forms import ProfileForm
from accounts.models import User
from accounts.services import users


def key_set(request: HttpRequest) -> HttpResponse:
    """The public keys that others verify our tokens by; 404 where tokens are signed with a secret."""
    found = keypairs.key_set()
    if not found["keys"]:
        raise Http404
    return JsonResponse(found, headers={"Cache-Control": "public, max-age=300"})


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """What somebody's account is, and where each part of it is changed."""
    user = request.user
    assert isinstance(user, User)
    form = ProfileForm(request.POST or None, initial={"name": user.name})
    if form.is_valid():
        users.update_profile(user=user, changes=form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("account")
    shown = {
        "form": form,
        "confirmed": EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists(),
        "second_factor": is_mfa_enabled(user),
        "connected": SocialAccount.objects.filter(user=user),
    }
    return render(request, "account/overview.html", shown)


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Show the pages in another language: kept in a cookie, and for who is logged in with the account too."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        users.update_profile(user=request.user, changes={"language": language})
    return set_language(request)
