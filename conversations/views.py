"""The pages. Each reads by `pages`, writes by one service verb, and works without JavaScript."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.views import View

from accounts.limiting import counts_for
from accounts.models import User
from chatproject.lib.caller import note
from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from chatproject.lib.limits import take
from conversations import pages, selectors
from conversations.assistants import registry
from conversations.assistants.defaults import default_assistant
from conversations.forms import (
    ComposerForm,
    PlaceForm,
    ReadForm,
    StatusForm,
    StopForm,
    TitleForm,
)
from conversations.permissions import Permission, require
from conversations.services import conversations, reading, runs
from conversations.texts import SUGGESTIONS, TEXTS

# Templates that the front page offers; further ones are found over the API.
OFFERS = 60


class Page(LoginRequiredMixin, View):
    """A page for who is logged in. `permissions` names for each method what a member's role must allow, `limits` the
    limit that it counts for, as for the API (`Limited`)."""

    permissions: ClassVar[dict[str, Permission]] = {}
    limits: ClassVar[dict[str, str]] = {}

    @property
    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A Problem becomes the error page; nothing that is shown here may be kept by a cache."""
        try:
            if request.user.is_authenticated:
                take(counts_for(str(request.method), self.limits), request.user.pk)
            response = super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            response = render(request, "error.html", {"problem": problem}, status=problem.code.status)
            if problem.retry_after_ms is not None:
                response["Retry-After"] = str(-(-problem.retry_after_ms // 1000))
        add_never_cache_headers(response)
        patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response

    def heading(self, id_: UUID) -> pages.Heading:
        """The conversation, if this method's permission allows. Raises Problem `not_found`, `forbidden`."""
        note(conversation=id_)
        return pages.heading(self.user, id_, self.permissions[str(self.request.method)])

    def check(self, id_: UUID) -> None:
        """Raises Problem `not_found`, `forbidden` where this method's permission does not allow."""
        note(conversation=id_)
        require(selectors.role_of(self.user.id, id_), self.permissions[str(self.request.method)])

    def render(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        return render(self.request, f"conversations/{template}.html", context, status=status)

    def filled(self, form: type[Form]) -> Any:
        """The form with what was sent. Raises Problem `invalid`."""
        sent = form(self.request.POST if self.request.method == "POST" else self.request.GET)
        if not sent.is_valid():
            raise Problem("invalid", errors={name: list(map(str, texts)) for name, texts in sent.errors.items()})
        return sent


class HomeView(Page):
    """The list of conversations, and a composer whose first message begins a new one."""

    limits = {"POST": "send"}

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        form: ComposerForm = self.filled(ComposerForm)
        try:
            begun = conversations.create(
                user=self.user,
                assistant=form.chosen,
                message=form.text,
                temporary=form.cleaned_data["temporary"],
                idempotency_key=form.key,
            )
            return redirect("thread", begun.result().conversation.id)
        except conversations.AlreadyCreated as before:
            return redirect("thread", before.conversation)
        except Problem as problem:
            return self._page(problem, form.text, form.chosen)

    def _page(self, problem: Problem | None = None, text: str = "", chosen: str = "") -> HttpResponse:
        place = self.filled(PlaceForm) if self.request.method == "GET" else None
        context = {
            "list": pages.conversation_list(self.user, place and place.cleaned_data["after"]),
            "assistants": registry.available(),
            "chosen": chosen or default_assistant(),
            "suggestions": SUGGESTIONS,
            "offers": selectors.offered(self.user)[:OFFERS],
            "texts": TEXTS,
            "temporary_hours": settings.TEMPORARY_HOURS,
            "once": new_id(),
            "text": text,
            "problem": problem,
        }
        return self.render("home", context, problem.code.status if problem else 200)


class ListView(Page):
    """The list alone, to bring an open page up to date."""

    def get(self, request: HttpRequest) -> HttpResponse:
        place = self.filled(PlaceForm)
        return self.render("_list", {"list": pages.conversation_list(self.user, place.cleaned_data["after"])})


class MessagesView(Page):
    """A stretch of a thread alone: older messages, or all of the newest page anew."""

    permissions = {"GET": Permission.READ}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        heading = self.heading(id)
        thread = pages.thread(self.user, id, self.filled(PlaceForm).cleaned_data["before"])
        return self.render("_messages", {"heading": heading, "thread": thread})


class MessageView(Page):
    """One message alone."""

    permissions = {"GET": Permission.READ}

    def get(self, request: HttpRequest, id: UUID, message: UUID) -> HttpResponse:
        return self.render("_message", {"heading": self.heading(id), "item": pages.item(self.user, id, message)})


class StopView(Page):
    permissions = {"POST": Permission.STOP}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Stop a run; that it has ended in the meantime is what was wanted."""
        run = selectors.run_for(self.user, self.filled(StopForm).cleaned_data["run"], self.permissions["POST"])
        try:
            runs.stop(user=self.user, run=run).result()
        except Problem as problem:
            if problem.code.name != "run_not_active":
                raise
        return redirect("thread", id)


class TitleView(Page):
    permissions = {"POST": Permission.CHANGE}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        self.heading(id)
        conversations.update(user=self.user, conversation=id, changes=self.filled(TitleForm).cleaned_data).result()
        return redirect("thread", id)


class StatusView(Page):
    permissions = {"POST": Permission.ARCHIVE}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Put a conversation away, or take it out again."""
        self.heading(id)
        if self.filled(StatusForm).cleaned_data["status"] == "archived":
            conversations.archive(user=self.user, conversation=id).result()
            return redirect("home")
        conversations.update(user=self.user, conversation=id, changes={"status": "open"}).result()
        return redirect("thread", id)


class ReadView(Page):
    permissions = {"POST": Permission.READ}

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        self.check(id)
        reading.mark_read(user=self.user, conversation=id, seq=self.filled(ReadForm).cleaned_data["seq"])
        return HttpResponse(status=204)
