"""The page on which people close their account, after showing once more who they are."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from conversations.forms import EraseForm
from conversations.services import leaving
from conversations.views import Page


@method_decorator(reauthentication_required(app="allauth.account"), name="post")
class CloseView(Page):
    """Without the tick nothing happens."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("close", {})

    def post(self, request: HttpRequest) -> HttpResponse:
        self.filled(EraseForm)
        leaving.close_account(user=self.user)
        logout(request)
        return self.render("closed", {})
