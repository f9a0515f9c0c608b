"""Pages about the user beside those of allauth."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User
from accounts.services import users


@require_POST
def choose_language(request: HttpRequest) -> HttpResponseBase:
    """Show the pages in another language: kept in a cookie, and for who is logged in with the account too."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        users.update_profile(user=request.user, changes={"language": language})
    return set_language(request)
