"""`POST /v1/chat`: one message in, one answer out, as small plugins and their clients speak it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.lib.errors import Problem
from chatproject.lib.fields import Flag, Text
from chatproject.lib.http import checked, idempotency_key
from chatproject.lib.ids import new_id
from conversations import selectors, waiting
from conversations.api.base import View, attempt, write_once
from conversations.models import Run
from conversations.permissions import Permission
from conversations.services import conversations, messages

ROUTE = "POST /v1/chat"
# When somebody whose answer is not there yet should ask again.
RETRY_MS = 2000


class ChatInput(serializers.Serializer):
    message = Text(trim_whitespace=False)
    conversation = serializers.UUIDField(required=False, allow_null=True, help_text="To go on with; else a new one.")
    assistant = Text(required=False, allow_null=True, max_length=64, help_text="Who answers.")
    keep = Flag(default=False, help_text="Otherwise a new conversation is temporary.")


class ChatAnswer(serializers.Serializer):
    response = serializers.CharField()
    conversation = serializers.UUIDField()
    message = serializers.UUIDField(allow_null=True)
    run = serializers.UUIDField()
    status = serializers.ChoiceField(["completed", "stopped"], help_text="Stopped: it is what was said until then.")


class ChatView(View):
    limits = {"POST": "send"}
    permissions = {"POST": Permission.SEND}

    @extend_schema(operation_id="v1_chat", request=ChatInput, responses=ChatAnswer)
    def post(self, request: Request) -> Response:
        """Say something and get the answer, once it is there."""
        given = checked(ChatInput, request)
        conversation, key = given.pop("conversation", None), attempt(self, request, ROUTE, given.get("conversation"))
        run = self._go_on(request, conversation, given, key) if conversation else self._begin(request, given, key)
        return Response(_answer(run, waiting.wait_for(run.id, settings.WAIT_MAX_SECONDS, self.identity.login)))

    def _begin(self, request: Request, given: dict[str, Any], key: str | None) -> Run:
        """Ask in a conversation of its own."""
        assistant = given.get("assistant") or settings.DEFAULT_ASSISTANT
        try:
            done = conversations.create(
                user=self.user,
                assistant=assistant,
                message=given["message"],
                temporary=not given["keep"],
                idempotency_key=idempotency_key(request) or key,
            ).result()
            return Run.objects.get(id=done.main["data"]["run"])
        except conversations.AlreadyCreated as before:
            return selectors.first_run(before.conversation)

    def _go_on(self, request: Request, id_: UUID, given: dict[str, Any], key: str | None) -> Run:
        """Ask in one that is there. Raises Problem `invalid` where nobody answers in it, `conflict` where
        people do."""
        row = self.conversation(id_)
        assistant = given.get("assistant")
        if not (assistant or row.assistant):
            raise Problem("invalid", errors={"assistant": ["Nobody answers in this conversation: say who is to."]})

        def send(cmid: str | None) -> Any:
            return messages.send(
                user=self.user,
                conversation=id_,
                text=given["message"],
                assistant=assistant,
                cmid=cmid or str(new_id()),
                answered=True,
            )

        done = write_once(request, send, ROUTE, key)
        return Run.objects.get(id=done.main["data"]["run"])


def _answer(run: Run, ended: Run | None) -> dict[str, Any]:
    """What the client is told. Raises Problem `unavailable`, with the ids, where there is no answer (yet)."""
    ids = {"conversation": str(run.conversation_id), "run": str(run.id)}
    if ended is None:
        raise Problem("unavailable", "The answer is still being written.", retry_after_ms=RETRY_MS, extra=ids)
    if ended.status not in (Run.Status.COMPLETED, Run.Status.STOPPED):
        raise Problem("unavailable", _reason(ended), extra=ids)
    text = selectors.answer(ended)["text"]
    return {**ids, "response": text, "message": ended.message, "status": ended.status}


def _reason(run: Run) -> str:
    error = selectors.error_of(run) or {}
    return str(error.get("message") or "The answer failed.")
