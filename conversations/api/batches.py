"""Routes of batches: many questions, answered one by one in the background."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import LoggedIn
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, idempotency_key
from conversations import selectors, wire
from conversations.api.batch_shapes import BatchInput, BatchPage, BatchShape
from conversations.api.exports import Whatever
from conversations.api.pagination import PAGE, ByUpload
from conversations.assistants.defaults import default_assistant
from conversations.batches import downloads, reading
from conversations.batches.questions import Question
from conversations.batches.results import FORMS
from conversations.services import batches
from conversations.services.batches import Wish

FORMAT = OpenApiParameter("format", str, enum=list(FORMS), default="jsonl")


class BatchesView(LoggedIn):
    limits = {"POST": "upload"}
    parser_classes = (JSONParser, MultiPartParser, FormParser)

    @extend_schema(operation_id="v1_batches_list", responses=BatchPage, parameters=PAGE)
    def get(self, request: Request) -> Response:
        """The batches of the user, the latest first."""
        pages = ByUpload()
        page = pages.paginate_queryset(selectors.batches(self.user), request, view=self)
        return pages.get_paginated_response([wire.batch(row) for row in page or ()])

    @extend_schema(
        request={"application/json": BatchInput, "multipart/form-data": BatchInput}, responses={201: BatchShape}
    )
    def post(self, request: Request) -> Response:
        """Have questions asked one by one: those of a list, or those of a file."""
        given = checked(BatchInput, request)
        file, listed = given.pop("file", None), given.pop("questions", None)
        asked = _questions(file, listed)
        wish = Wish(**{**given, "assistant": given.get("assistant") or default_assistant()})
        row = batches.start(user=self.user, questions=asked, wish=wish, idempotency_key=idempotency_key(request))
        return Response(wire.batch(selectors.batch_for(self.user, row.id)), status=201)


class BatchView(LoggedIn):
    @extend_schema(responses=BatchShape)
    def get(self, request: Request, id: UUID) -> Response:
        """How far a batch is."""
        return Response(wire.batch(selectors.batch_for(self.user, id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Stop a batch and delete it; the conversations stay."""
        batches.remove(user=self.user, batch=id)
        return Response(status=204)


class BatchStopView(LoggedIn):
    @extend_schema(request=None, responses=BatchShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Ask nothing more, and stop what is being answered."""
        batches.stop(user=self.user, batch=id)
        return Response(wire.batch(selectors.batch_for(self.user, id)))


class BatchResumeView(LoggedIn):
    @extend_schema(request=None, responses=BatchShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Go on with a batch that is over: with what was stopped or has failed."""
        batches.resume(user=self.user, batch=id)
        return Response(wire.batch(selectors.batch_for(self.user, id)))


class BatchResultsView(LoggedIn):
    content_negotiation_class = Whatever

    @extend_schema(
        parameters=[FORMAT], responses={(200, form.media_type.split(";")[0]): bytes for form in FORMS.values()}
    )
    def get(self, request: Request, id: UUID) -> StreamingHttpResponse:
        """What is answered so far, as a file."""
        name = request.query_params.get("format", "jsonl")
        if name not in FORMS:
            raise Problem("invalid", errors={"format": [f"One of {', '.join(FORMS)}."]})
        return downloads.download(self.user, selectors.batch_for(self.user, id), name)


def _questions(file: Any, listed: list[str] | None) -> list[Question]:
    """Raises Problem `invalid`, `too_large`, `unsupported`."""
    if (file is None) == (listed is None):
        raise Problem("invalid", errors={"questions": ["Send a list of `questions`, or a `file` (multipart)."]})
    if file is not None:
        return reading.questions(file.file, file.name)
    return [Question(row, text) for row, text in enumerate(listed or (), 1)]
