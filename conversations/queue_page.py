"""The queue on the page: changing what waits for its answer, and taking it back."""

from concurrent.futures import Future
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from conversations import selectors
from conversations.forms import QueuedForm
from conversations.permissions import Permission
from conversations.services import answering
from conversations.views import Page

# It is being answered, or was: what was wanted is no longer possible, and the page that follows shows it.
TOO_LATE = ("conflict", "run_not_active")


class QueueView(Page):
    permissions = {"POST": Permission.SEND}
    limits = {"POST": "send"}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """With a text the question gets it, without one it is taken back."""
        self.heading(id)
        sent = self.filled(QueuedForm).cleaned_data
        run = selectors.run_for(self.user, sent["run"], self.permissions["POST"])
        if run.conversation_id != id:
            raise Problem("not_found")
        try:
            self._act(run, sent["text"].replace("\r\n", "\n")).result()
        except Problem as problem:
            if problem.code.name not in TOO_LATE:
                raise
        return redirect("thread", id)

    def _act(self, run: Any, text: str) -> "Future[Any]":
        if text:
            return answering.change(user=self.user, run=run, text=text)
        return answering.take_back(user=self.user, run=run)
