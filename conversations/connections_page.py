"""The page on which people allow connectors to act in their name, and withdraw that; and where they come back to."""

import secrets
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.connectors import directory, oauth
from conversations.connectors.setup import Setup
from conversations.services import authorisations
from conversations.views import Page

# What is on its way to a provider, in the session of who went: `{name, state, verifier}`.
LEAVING = "connections.leaving"


class Listing(Page):
    """Those that ask for a user's own authorisation, and whether it is there."""

    def _page(self, problem: Problem | None = None) -> HttpResponse:
        mine = {row.connector_id: row for row in selectors.authorisations(self.user)}
        rows = [(row, mine.get(row.id)) for row in selectors.personal_connectors()]
        return self.render("connections", {"rows": rows, "problem": problem}, problem.code.status if problem else 200)


class ConnectionsPage(Listing):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page()


class ConnectPage(Page):
    def post(self, request: HttpRequest, name: str) -> HttpResponse:
        """Send the user to the provider (accounts/middleware.py: by a link)."""
        setup = _setup(name)
        state, verifier = secrets.token_urlsafe(32), oauth.fresh_verifier()
        request.session[LEAVING] = {"name": name, "state": state, "verifier": verifier}
        there = oauth.authorize_url(setup, redirect_uri=_here(request), state=state, verifier=verifier)
        return redirect(there)


class CallbackPage(Listing):
    """The one address that providers send people back to."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """What does not belong to a leave of this session, or comes twice, is refused."""
        left: dict[str, Any] | None = request.session.pop(LEAVING, None)
        state, code = request.GET.get("state", ""), request.GET.get("code", "")
        if left is None or not secrets.compare_digest(left["state"].encode(), state.encode()):
            return self._page(Problem("invalid", "This does not belong to what you began here; connect once more."))
        if not code:
            return self._page(Problem("invalid", "It was not allowed there."))
        try:
            setup = _setup(left["name"])
            authorisations.allow(
                user=self.user, setup=setup, code=code, redirect_uri=_here(request), verifier=left["verifier"]
            )
        except Problem as problem:
            return self._page(problem)
        return redirect("connections")


class DisconnectPage(Listing):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Revoke it there, and forget it here."""
        try:
            authorisations.withdraw(user=self.user, authorisation=id)
        except Problem as problem:
            if problem.code.name == "not_found":
                raise
            return self._page(problem)
        return redirect("connections")


def _setup(name: str) -> Setup:
    """Raises Problem `not_found` unless users can allow this connector something."""
    setup = directory.setup_of(name)
    if setup is None or setup.config.get("auth", {}).get("type") != "user":
        raise Problem("not_found")
    return setup


def _here(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("connections_callback"))
