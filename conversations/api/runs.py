"""Routes of runs and assistants."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from conversations import selectors, wire
from conversations.access import Permission
from conversations.api.base import View
from conversations.api.serializers import AssistantList, RunShape
from conversations.assistants import registry
from conversations.services import runs


class RunView(View):
    permissions = {"GET": Permission.READ}

    @extend_schema(responses=RunShape)
    def get(self, request: Request, id: UUID) -> Response:
        """One turn of an assistant."""
        return Response(wire.run(selectors.run_for(self.user, id, self.permissions["GET"])))


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
        found = [{"name": name, "description": registry.description(name)} for name in registry.available()]
        return Response({"next": None, "previous": None, "results": found})
