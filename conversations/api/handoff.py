"""Routes that say who answers: assistants, or people."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.caller import note
from chatproject.lib.fields import Text
from chatproject.lib.http import checked, etag
from conversations import selectors
from conversations.api.base import View, write_once
from conversations.api.serializers import ConversationShape
from conversations.permissions import Permission
from conversations.services import handoff

Verb = Callable[..., "Future[Any]"]


class HandoffInput(serializers.Serializer):
    reason = Text(required=False, allow_null=True, allow_blank=True, help_text="For those who look whom to help next.")


class _Handing(View):
    limits = {"POST": "send"}

    def hand(self, request: Request, id_: UUID, verb: Verb, **given: Any) -> Response:
        """Do it once, and answer with the conversation as it is then, also to an agent who is no member any more; the
        verb itself refuses strangers."""

        def act(cmid: str | None) -> Any:
            return verb(user=self.user, conversation=id_, cmid=cmid, **given)

        note(conversation=id_)
        write_once(request, act, f"POST {verb.__name__} {id_}")
        row = selectors.conversation_after(self.user, id_)
        return Response(selectors.wire_conversation(row), headers={"ETag": etag(row.version)})


class HandoffView(_Handing):
    permissions = {"POST": Permission.SEND}

    @extend_schema(request=HandoffInput, responses=ConversationShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Ask for a person, who answers instead of assistants."""
        return self.hand(request, id, handoff.hand_off, **checked(HandoffInput, request))


class ClaimView(_Handing):
    permissions = {"POST": Permission.CLAIM}

    @extend_schema(request=None, responses=ConversationShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Take a conversation as an agent: members of that role, and staff where one waits."""
        return self.hand(request, id, handoff.claim)


class ReleaseView(_Handing):
    permissions = {"POST": Permission.SEND}

    @extend_schema(request=None, responses=ConversationShape)
    def post(self, request: Request, id: UUID) -> Response:
        """Let assistants answer again."""
        return self.hand(request, id, handoff.release)
