"""What the answers to people who are logged in carry."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.identities import Identity
from accounts.services import tokens


class RenewedTokens:
    """`X-Access-Token`: a new access token in any answer to one of whose life TOKEN_RENEW_PERCENT are over."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        shown: Identity | None = getattr(request, "shown", None)
        if shown and shown.renewal_due:
            response["X-Access-Token"], _ = tokens.renewed(shown)
        return response
