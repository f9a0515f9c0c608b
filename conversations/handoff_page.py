"""The pages on which people ask for a person, and on which agents take a conversation and hand it back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from chatproject.lib.errors import Problem
from conversations import pages, selectors, standing
from conversations.forms import ReasonForm
from conversations.permissions import Permission
from conversations.services import handoff
from conversations.views import Page


class StandingView(Page):
    """Who answers, alone: to bring an open page up to date."""

    permissions = {"GET": Permission.READ}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        heading = self.heading(id)
        return self.render("_standing", {"heading": heading, "standing": standing.of(self.user, heading)})


class HandoffView(Page):
    permissions = {"GET": Permission.SEND, "POST": Permission.SEND}
    limits = {"POST": "send"}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        return self._page(self.heading(id))

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """What was written stays where it is refused."""
        heading, reason = self.heading(id), self.filled(ReasonForm).cleaned_data["reason"].replace("\r\n", "\n")
        try:
            handoff.hand_off(user=self.user, conversation=id, reason=reason).result()
        except Problem as problem:
            return self._page(heading, problem, reason)
        return afterwards(self.user, id)

    def _page(self, heading: pages.Heading, problem: Problem | None = None, reason: str = "") -> HttpResponse:
        context = {
            "heading": heading,
            "standing": standing.of(self.user, heading),
            "list": pages.conversation_list(self.user),
            "most": settings.REASON_MAX_LENGTH,
            "reason": reason,
            "problem": problem,
        }
        return self.render("handoff", context, problem.code.status if problem else 200)


def afterwards(user: User, id_: UUID) -> HttpResponse:
    """To the conversation; who was a member only to answer there is led to their own."""
    return redirect("thread", id_) if selectors.role_of(user.id, id_) else redirect("home")


class _Act(Page):
    verb: Callable[..., Any]

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """That somebody was faster is seen on the page that follows."""
        self.heading(id)
        try:
            type(self).verb(user=self.user, conversation=id).result()
        except Problem as problem:
            if problem.code.name != "conflict":
                raise
        return afterwards(self.user, id)


class ClaimView(_Act):
    permissions = {"POST": Permission.CLAIM}
    verb = handoff.claim


class ReleaseView(_Act):
    permissions = {"POST": Permission.SEND}
    verb = handoff.release
