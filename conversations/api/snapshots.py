"""Routes of snapshots: looking at earlier states, and going back to one."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.http import etag, idempotency_key
from conversations import selectors
from conversations.api.base import View, write_once
from conversations.api.pagination import PAGE, BySeq
from conversations.api.serializers import ConversationShape
from conversations.api.snapshot_shapes import SnapshotPage, SnapshotShape
from conversations.permissions import Permission
from conversations.services import restoring, snapshots


class SnapshotsView(View):
    permissions = {"GET": Permission.READ, "POST": Permission.CHANGE}

    @extend_schema(operation_id="v1_conversations_snapshots_list", responses=SnapshotPage, parameters=PAGE)
    def get(self, request: Request, id: UUID) -> Response:
        """The stored states, the latest first."""
        self.conversation(id)
        pages = BySeq()
        page = pages.paginate_queryset(selectors.snapshots(id), request, view=self)
        return pages.get_paginated_response([selectors.wire_snapshot(row) for row in page or ()])

    @extend_schema(request=None, responses={201: SnapshotShape})
    def post(self, request: Request, id: UUID) -> Response:
        """Store the state as it is now; at the same head again it is the same snapshot."""
        self.conversation(id)
        taken = snapshots.take_for(user=self.user, conversation=id, idempotency_key=idempotency_key(request))
        return Response(selectors.wire_snapshot(taken), status=201)


class SnapshotView(View):
    permissions = {"GET": Permission.READ}

    @extend_schema(responses=SnapshotShape)
    def get(self, request: Request, id: UUID, seq: int) -> Response:
        """The state after any event of the log, stored or not."""
        return Response(selectors.snapshot_at(self.conversation(id), seq))


class RestoreView(View):
    permissions = {"POST": Permission.RESTORE}

    @extend_schema(request=None, responses=ConversationShape)
    def post(self, request: Request, id: UUID, seq: int) -> Response:
        """Have texts and visibility of all messages be those after the event `seq`; nothing is deleted."""
        self.conversation(id)
        write_once(
            request,
            lambda cmid: restoring.restore(user=self.user, conversation=id, to_seq=seq, cmid=cmid),
            "POST restore",
        )
        row = selectors.shown_conversation(self.user, id)
        return Response(selectors.wire_conversation(row), headers={"ETag": etag(row.version)})
