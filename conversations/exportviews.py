"""The page on which people take their data with them, and bring it here."""

from typing import IO, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from chatproject.lib.errors import Problem
from chatproject.lib.ids import new_id
from conversations import pages, selectors
from conversations.services import exports, importing
from conversations.services.conversations import AlreadyCreated
from conversations.views import Page


class ExportsView(Page):
    """Exports with their progress, and a form for a file."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Import a file; one conversation is opened at once."""
        try:
            done = importing.import_file(user=self.user, file=self._file(), idempotency_key=_once(request))
        except AlreadyCreated as before:
            return redirect("thread", before.conversation)
        except Problem as problem:
            return self._page(problem)
        return redirect("thread", done[0]) if len(done) == 1 else redirect("home")

    def _file(self) -> IO[bytes]:
        """Raises Problem `invalid`, `too_large`."""
        file = self.request.FILES.get("file")
        if file is None:
            raise Problem("invalid", "Choose a file first.")
        if (file.size or 0) > settings.IMPORT_MAX_BYTES:
            raise Problem("too_large", f"A file has at most {settings.IMPORT_MAX_BYTES} bytes.")
        return cast("IO[bytes]", file.file)

    def _page(self, problem: Problem | None = None) -> HttpResponse:
        context = {
            "list": pages.conversation_list(self.user),
            "exports": selectors.exports(self.user).order_by("-created_at"),
            "days": settings.EXPORT_KEEP_HOURS // 24,
            "once": new_id(),
            "problem": problem,
        }
        return self.render("exports", context, problem.code.status if problem else 200)


class ExportListView(Page):
    """The list alone, to bring an open page up to date."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("_exports", {"exports": selectors.exports(self.user).order_by("-created_at")})


class ExportStartView(Page):
    def post(self, request: HttpRequest) -> HttpResponse:
        exports.start(user=self.user, idempotency_key=_once(request))
        return redirect("exports")


class ExportRemoveView(Page):
    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Cancel it, or delete what it made."""
        exports.remove(user=self.user, export=id)
        return redirect("exports")


def _once(request: HttpRequest) -> str | None:
    """The key that came with the form, so that one that is sent twice is done once."""
    return request.POST.get("once", "")[:64] or None
