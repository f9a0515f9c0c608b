"""What happens around requests of people."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from requests import RequestException

from accounts.models import User
from accounts.services import users

TO_PROVIDERS = {"google_login", "openid_connect_login", "connections_connect"}


class LeavingByLink:
    """Sends people to a provider by a page whose link opens by itself, instead of by a redirect.

    The forms that lead there are bound to us by `form-action` of our content policy, which browsers apply to
    redirects too, and to those of the provider.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        leaving = response.status_code == 302 and bool(urlsplit(response["Location"]).netloc)
        if leaving and request.method == "POST" and match and match.url_name in TO_PROVIDERS:
            shown = render(request, "socialaccount/leaving.html", {"address": response["Location"]})
            shown.headers["Cache-Control"] = "no-store"
            return shown
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A provider that cannot be asked is a log-in that failed."""
        match = request.resolver_match
        if not (match and match.url_name in TO_PROVIDERS and isinstance(exception, RequestException)):
            return None
        return render(request, "socialaccount/authentication_error.html", status=502)


class LastActive:
    """Notes that the user of a request is active, however they showed who they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 and isinstance(request.user, User):
            users.seen(request.user)
        return response
