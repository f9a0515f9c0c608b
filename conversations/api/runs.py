"""Routes of runs and assistants."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.http import checked
from conversations import selectors, wire
from conversations.api.base import View, write_once
from conversations.api.run_shapes import AnswerInput, AssistantList, RunChange, RunList
from conversations.api.serializers import RunShape
from conversations.assistants import registry
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import answering, runs


class RunView(View):
    permissions = {"GET": Permission.READ, "PATCH": Permission.SEND, "DELETE": Permission.STOP}

    @extend_schema(responses=RunShape)
    def get(self, request: Request, id: UUID) -> Response:
        """One turn of an assistant."""
        return Response(wire.run(self._run(id)))

    @extend_schema(request=RunChange, responses=RunShape)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change the question of a run that is still queued."""
        run, text = self._run(id), checked(RunChange, request)["text"]

        def change(cmid: str | None) -> Any:
            return answering.change(user=self.user, run=run, text=text, cmid=cmid)

        write_once(request, change, f"PATCH run {id}")
        return Response(wire.run(run))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Take a queued run back, and with it your question."""
        answering.take_back(user=self.user, run=self._run(id)).result()
        return Response(status=204)

    def _run(self, id: UUID) -> Run:
        return selectors.run_for(self.user, id, self.permissions[str(self.request.method)])


class QueueView(View):
    permissions = {"GET": Permission.READ}

    @extend_schema(operation_id="v1_conversations_runs_list", responses=RunList)
    def get(self, request: Request, id: UUID) -> Response:
        """The runs of a conversation that have not ended, the first in the queue first."""
        self.conversation(id)
        return Response({"next": None, "previous": None, "results": selectors.unfinished_runs(id)})


class AnswerView(View):
    permissions = {"POST": Permission.SEND}

    @extend_schema(request=AnswerInput, responses=RunShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Answer what a run asks, so that it goes on; the first answer counts."""
        run, given = selectors.run_for(self.user, id, self.permissions["POST"]), checked(AnswerInput, request)

        def answer(cmid: str | None) -> Any:
            return answering.answer(user=self.user, run=run, cmid=cmid, **given)

        write_once(request, answer, f"POST answer {id}")
        run.refresh_from_db()
        return Response(wire.run(run))


class StopView(View):
    permissions = {"POST": Permission.STOP}

    @extend_schema(request=None, responses=RunShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Stop a run; what is stored of its answer stays."""
        run = selectors.run_for(self.user, id, self.permissions["POST"])
        runs.stop(user=self.user, run=run).result()
        run.refresh_from_db()
        return Response(wire.run(run))


class AssistantsView(View):
    @extend_schema(responses=AssistantList)
    def get(self, request: Request) -> Response:
        """The assistants that can answer here."""
        found = [wire.assistant(one) for one in map(registry.shown, registry.available()) if one]
        return Response({"next": None, "previous": None, "results": found})
