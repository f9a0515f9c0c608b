"""Routes of shares: for who shares, and for strangers who have a link."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.module_loading import import_string
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.base import Limited
from chatproject.lib.clock import rfc3339
from chatproject.lib.errors import Problem
from chatproject.lib.http import checked, idempotency_key, integer
from conversations import cursors, selectors, wire
from conversations.api.base import View
from conversations.api.exports import Whatever
from conversations.api.pagination import PAGE, ByUpload
from conversations.api.renderers import EventStreamRenderer, FastJSONRenderer
from conversations.api.share_shapes import SharedShape, ShareInput, SharePage, ShareShape
from conversations.api.streaming import live
from conversations.cursors import Cursor
from conversations.permissions import Permission
from conversations.reports import downloads
from conversations.reports.documents import FORMS
from conversations.services import shares, visits
from conversations.services.shares import Wish
from conversations.services.visits import Visit

# What keeps a shared page out of indexes, caches, and the addresses that other sites are told.
UNLISTED = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
PASSWORD = OpenApiParameter("X-Share-Password", str, OpenApiParameter.HEADER)
VISIT = OpenApiParameter("visit", str, description="From `next` or `events`: goes on with a visit.")


def unlisted(response: HttpResponseBase) -> None:
    """Give an answer the headers of what is shared, and keep its address, which holds the token, out of the log."""
    for name, value in UNLISTED.items():
        response[name] = value
    # What Django asks before it logs a refusal together with the path.
    response._has_been_logged = True  # type: ignore[attr-defined]


class SharesView(View):
    permissions = {"GET": Permission.SHARE, "POST": Permission.SHARE}

    @extend_schema(operation_id="v1_conversations_shares_list", responses=SharePage, parameters=PAGE)
    def get(self, request: Request, id: UUID) -> Response:
        """The links to a conversation that are not over, the latest first."""
        self.conversation(id)
        pages = ByUpload()
        page: list[Any] | None = pages.paginate_queryset(selectors.shares(id), request, view=self)
        return pages.get_paginated_response([wire.share(row) for row in page or ()])

    @extend_schema(request=ShareInput, responses={201: ShareShape})
    def post(self, request: Request, id: UUID) -> Response:
        """Make a link; its token is told this once."""
        self.conversation(id)
        wish = Wish(**checked(ShareInput, request))
        row, token = shares.create(user=self.user, conversation=id, wish=wish, idempotency_key=idempotency_key(request))
        url = request.build_absolute_uri(reverse("shared", args=[token]))
        return Response(wire.share(row, token=token, url=url), status=201, headers={"Cache-Control": "no-store"})


class ShareView(View):
    permissions = {"DELETE": Permission.SHARE}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID, share: UUID) -> Response:
        """Revoke a link; whoever reads by it is cut off."""
        self.conversation(id)
        shares.revoke(user=self.user, conversation=id, share=share)
        return Response(status=204)


class ForStrangers(Limited):
    """Who has the link is let in, whoever that is; accounts do not matter."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    limits = {"GET": "share", "HEAD": "share"}

    def visit(self, request: Request, token: str) -> Visit:
        """Every look at a share by the API goes through here. Raises what `visits.enter` raises."""
        return visits.enter(
            token=token,
            password=request.headers.get("X-Share-Password"),
            passport=request.query_params.get("visit"),
        )

    def head(self, request: Request, token: str) -> Response:
        """What looks whether a link is good does not use it up."""
        visits.find(token)
        return Response()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        unlisted(answer)
        return answer


class SharedView(ForStrangers):
    @extend_schema(auth=[], parameters=[PASSWORD, VISIT], responses=SharedShape)
    def get(self, request: Request, token: str) -> Response:
        """A shared conversation. Counts as a view, further pages do not."""
        if visits.find(token).report:
            raise Problem("not_found", "This link leads to a report, which is at `file/`.")
        visit = self.visit(request, token)
        return Response(_public(request, token, visit, selectors.shared(visit.share, visit.place)))


class SharedFileView(ForStrangers):
    content_negotiation_class = Whatever

    @extend_schema(
        auth=[],
        parameters=[PASSWORD, VISIT],
        responses={(200, form.media_type.split(";")[0]): bytes for form in FORMS.values()},
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """A shared report. Counts as a view, unless it belongs to a visit."""
        report = visits.find(token).report
        if report is None:
            raise Problem("not_found", "This link leads to a conversation.")
        self.visit(request, token)
        return downloads.document(report)


class SharedEventsView(ForStrangers):
    renderer_classes = (FastJSONRenderer, EventStreamRenderer)

    @extend_schema(
        auth=[],
        parameters=[PASSWORD, VISIT, OpenApiParameter("after_seq", int)],
        responses={(200, "text/event-stream"): str},
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """What comes in a live one, as server-sent events. Counts as a view, unless it belongs to a visit."""
        if not visits.find(token).live:
            raise Problem("not_found", "Nothing comes in a fixed share.")
        last = request.headers.get("Last-Event-ID")
        cursor = cursors.parse_event_id(last) if last else Cursor(None, integer(request, "after_seq", 0))
        share = self.visit(request, token).share
        reason = cursors.reason_to_resync(cursor, *selectors.head(share.place))
        if reason:
            raise Problem("resync_required", extra={"reason": reason})
        return live(import_string(settings.SHARE_STREAM)(share, cursor.seq))


def _public(request: Request, token: str, visit: Visit, page: selectors.Shared) -> dict[str, Any]:
    here = request.build_absolute_uri(f"/api/v1/shared/{token}/")
    more = f"{here}?{urlencode({'visit': visit.passport(page.place)})}" if page.place is not None else None
    return {
        "title": page.title,
        "mode": "live" if visit.share.live else "fixed",
        "seq": page.seq,
        "epoch": page.epoch,
        "expires_at": rfc3339(visit.share.expires_at),
        "messages": page.messages,
        "next": more,
        "events": events_url(token, visit, page) if visit.share.live else None,
    }


def events_url(token: str, visit: Visit, page: selectors.Shared) -> str:
    """Where what comes after a page of a live share is streamed, as part of the same visit."""
    query = urlencode({"visit": visit.passport(), "after_seq": page.seq})
    return f"/api/v1/shared/{token}/events/?{query}"
