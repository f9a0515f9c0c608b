"""Answering on the page what a run asks: a plain form, or a piece of the page for its scripts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from conversations import askforms, asking, pages, selectors, wire
from conversations.forms import AnswerForm
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import answering
from conversations.threadpage import ThreadPage


class AnswerView(ThreadPage):
    """What was filled in stays where something is wrong with it."""

    permissions = {"POST": Permission.SEND}
    limits = {"POST": "send"}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        heading, sent = self.heading(id), self.filled(AnswerForm).cleaned_data
        run, step = self._asked(id, sent["run"], sent["step"])
        form = askforms.AskForm(step, request.POST)
        if not form.is_valid() or not self._answer(run, step, form):
            return self._again(heading, run, step, form)
        return HttpResponse(status=204) if sent["partial"] else redirect("thread", id)

    def _asked(self, conversation: UUID, run: UUID, step: str) -> tuple[Run, dict[str, Any]]:
        """Raises Problem `not_found`, `forbidden`."""
        row = selectors.run_for(self.user, run, self.permissions["POST"])
        found = [one for one in row.steps if one["step"] == step and asking.is_ask(one)]
        if row.conversation_id != conversation or not found:
            raise Problem("not_found")
        return row, wire.step(row, found[0])

    def _answer(self, run: Run, step: dict[str, Any], form: askforms.AskForm) -> bool:
        """Whether it is answered: that somebody else was faster is seen on the page that follows."""
        try:
            answering.answer(user=self.user, run=run, step=step["step"], value=form.answer()).result()
        except Problem as problem:
            if problem.code.name == "run_not_active":
                return True
            if problem.code.name not in ("invalid", "too_large"):
                raise
            form.blame((problem.errors or {}).get("value") or [problem.detail])
            return False
        return True

    def _again(self, heading: pages.Heading, run: Run, step: dict[str, Any], form: askforms.AskForm) -> HttpResponse:
        if self.request.POST.get("partial"):
            question = askforms.question(wire.run(run), step, form=form)
            return self.render("_ask", {"heading": heading, "question": question}, status=400)
        return self.page(heading, filled={step["step"]: form}, status=400)
