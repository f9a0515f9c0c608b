"""Pages about the user beside those of allauth."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts import keypairs
from accounts.models import User
from accounts.services import users


def key_set(request: HttpRequest) -> HttpResponse:
    """The public keys that others verify our tokens by; 404 where tokens are signed with a secret."""
    found = keypairs.key_set()
    if not found["keys"]:
        raise Http404
    return JsonResponse(found, headers={"Cache-Control": "public, max-age=300"})


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Show the pages in another language: kept in a cookie, and for who is logged in with the account too."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        users.update_profile(user=request.user, changes={"language": language})
    return set_language(request)
