"""Chat in your own Django views, for whoever is logged in there.

    def support(request):
        chat = chat_for(request, assistant="guide")
        if request.method == "POST":
            chat.say(request.POST["text"], wait=30)
        return render(request, "support.html", {"messages": chat.messages()})

The session's id is kept in Django's session of the browser; the conversation is also on the chat page.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id, parse_id
from conversations import selectors, waiting
from conversations.models import Session
from conversations.services import messages, sessions

KEY = "conversations.session"


class Chat:
    """One session of `user`, in one conversation."""

    def __init__(self, user: User, session: Session) -> None:
        assert session.conversation_id
        self.user, self.session = user, session
        self.conversation: UUID = session.conversation_id

    def say(self, text: str, *, wait: float = 0) -> dict[str, Any] | None:
        """Say something; with `wait`, the answer, None where it took longer than so many seconds.

        Raises Problem `invalid`, `too_large`, `forbidden`, `unavailable`.
        """
        cmid = str(new_id())
        done = messages.send(user=self.user, conversation=self.conversation, text=text, cmid=cmid).result()
        sessions.renew([self.session.id])
        run = done.main["data"].get("run")
        return self._answer(UUID(run), wait) if run and wait else None

    def messages(self, limit: int = settings.PAGE_SIZE) -> list[dict[str, Any]]:
        """The newest messages, oldest first."""
        return selectors.messages(self.conversation, before_seq=None, after_seq=None, limit=limit, reader=self.user)

    def end(self) -> None:
        """End the session; a temporary conversation goes when its time is over."""
        sessions.end(session=self.session.id)

    def _answer(self, run: UUID, seconds: float) -> dict[str, Any] | None:
        ended = waiting.wait_for(run, seconds)
        return selectors.message(self.conversation, ended.message, self.user) if ended and ended.message else None


def chat_for(request: HttpRequest, *, assistant: str | None = None, keep: bool = False) -> Chat:
    """The chat of this browser, begun where there is none or it has ended. Raises Problem `unauthenticated`."""
    if not isinstance(request.user, User):
        raise Problem("unauthenticated")
    known = parse_id(request.session.get(KEY, ""))
    session = Session.objects.filter(id=known, user=request.user, ended_at=None).first() if known else None
    if session is None:
        session = sessions.begin_http(user=request.user, assistant=assistant, keep=keep)
        request.session[KEY] = str(session.id)
    return Chat(request.user, session)
