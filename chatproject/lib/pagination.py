"""Cursor pagination for lists that are sorted by a time: `{next, previous, results}`."""

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from chatproject.lib.errors import Problem
from chatproject.lib.http import integer

PAGE = [OpenApiParameter("cursor", str, description="From `next` or `previous`."), OpenApiParameter("limit", int)]


class ByTime(CursorPagination):
    """The latest change first."""

    page_size = settings.PAGE_SIZE
    max_page_size = settings.MAX_PAGE_SIZE
    ordering = ("-updated_at", "-id")

    def get_page_size(self, request: Request) -> int:
        """What `limit` asks for. Raises Problem `invalid`."""
        return int(integer(request, "limit", self.page_size, least=1, most=self.max_page_size))

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises Problem `invalid` for a cursor that we did not make."""
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            raise Problem("invalid", errors={"cursor": ["This cursor is not valid."]}) from error
