"""Search over what the caller may read."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from chatproject.lib.errors import Problem
from chatproject.lib.http import page_size
from chatproject.lib.ids import parse_id
from conversations import selectors
from conversations.api.base import View
from conversations.api.pagination import PAGE
from conversations.api.serializers import SearchPage
from conversations.search import finding, paging, query

PARAMETERS = [
    OpenApiParameter("q", str, required=True, description='Words, "phrases", and -what must not be there.'),
    OpenApiParameter("mode", str, enum=finding.MODES),
    OpenApiParameter("conversation", UUID, description="Only in this one."),
]


class SearchView(View):
    @extend_schema(operation_id="v1_search_list", parameters=[*PARAMETERS, *PAGE], responses=SearchPage)
    def get(self, request: Request) -> Response:
        """Messages in which `q` is found, the best first; only visible ones that the caller may read."""
        given = request.query_params
        asked, conversation = query.parse(given.get("q", "")), self._conversation(given.get("conversation"))
        place = paging.parse_place(given.get("cursor"))
        mode = given.get("mode") or "text"
        found = finding.search(self.user, asked, mode=mode, conversation=conversation, before=place.before)
        page = paging.page(found, place, page_size(request))
        results = [hit.wire(asked) for hit in page.hits]
        return Response(
            {"next": _link(request, page.next), "previous": _link(request, page.previous), "results": results}
        )

    def _conversation(self, given: str | None) -> UUID | None:
        """Raises Problem `invalid`, `not_found`."""
        if not given:
            return None
        id_ = parse_id(given)
        if id_ is None:
            raise Problem("invalid", errors={"conversation": ["This is not the id of a conversation."]})
        return selectors.conversation_for(self.user, id_).id


def _link(request: Request, place: paging.Place | None) -> str | None:
    if place is None:
        return None
    here = request.build_absolute_uri()
    return replace_query_param(here, "cursor", str(place)) if place.start else remove_query_param(here, "cursor")
