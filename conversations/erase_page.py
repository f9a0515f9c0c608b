"""The page that asks once more before a conversation is erased, and offers its export."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from conversations.forms import EraseForm
from conversations.permissions import Permission
from conversations.services import erasing
from conversations.views import Page


class EraseView(Page):
    """For the owner. Without the tick nothing happens."""

    permissions = {"GET": Permission.ERASE, "POST": Permission.ERASE}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        return self.render("erase", {"heading": self.heading(id)})

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        self.heading(id)
        self.filled(EraseForm)
        try:
            erasing.erase(user=self.user, conversation=id)
        except Problem as problem:
            if problem.code.name != "conversation_closed":  # retention was faster
                raise
        return redirect("home")
