"""The page by which a stranger reads a shared conversation."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from accounts.limiting import take_from_here
from chatproject.lib.errors import Problem
from conversations import selectors, wire
from conversations.api.shares import events_url, unlisted
from conversations.assistants import registry
from conversations.services import shares, visits
from conversations.services.visits import Visit
from conversations.templatetags.chat import assistant_name


# Nothing is done here in the name of who is logged in, and forms of a page without a referrer have no origin.
@method_decorator(csrf_exempt, name="dispatch")
class SharedPage(View):
    """For who has the link; asks for the password where there is one. A GET counts as a view, a HEAD does not."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            take_from_here("share")
            response = super().dispatch(request, *args, **kwargs)
        except Problem as problem:
            response = self._problem(problem)
        unlisted(response)
        response["Vary"] = "Cookie, Accept-Language"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        visit = visits.enter(token=token, proof=request.COOKIES.get(_cookie(token)), passport=request.GET.get("visit"))
        if visit.share.report:
            return self._report(token, visit)
        page = selectors.shared(visit.share, visit.place)
        return render(request, "conversations/shared.html", _context(token, visit, page))

    def _report(self, token: str, visit: Visit) -> HttpResponse:
        """Where its file is, as part of the same visit."""
        assert visit.share.report
        file = f"/api/v1/shared/{token}/file/?{urlencode({'visit': visit.passport()})}"
        told = wire.report(visit.share.report)
        return render(
            self.request, "conversations/shared_report.html", {"report": told, "file": file, "share": visit.share}
        )

    def head(self, request: HttpRequest, token: str) -> HttpResponse:
        """What looks whether a link is good does not use it up."""
        visits.find(token)
        return HttpResponse()

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Takes the password; whoever gave the right one is let in for a while by a cookie of this page alone."""
        share = visits.find(token)
        visits.check(share, request.POST.get("password"))
        response = redirect("shared", token)
        response.set_cookie(
            _cookie(token),
            visits.proof_of(share),
            max_age=settings.SHARE_VISIT_SECONDS,
            path=response.headers["Location"],
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response

    def _problem(self, problem: Problem) -> HttpResponse:
        status = problem.code.status
        if problem.code.name == "unauthenticated":
            wrong = self.request.method == "POST"
            return render(self.request, "conversations/share_password.html", {"wrong": wrong}, status=status)
        response = render(self.request, "error.html", {"problem": problem}, status=status)
        if problem.retry_after_ms is not None:
            response["Retry-After"] = str(-(-problem.retry_after_ms // 1000))
        return response


def _cookie(token: str) -> str:
    """A name that tells the links of one browser apart, and not what they lead to."""
    return f"share-{shares.digest(token).hex()[:16]}"


def _context(token: str, visit: Visit, page: selectors.Shared) -> dict[str, Any]:
    return {
        "title": page.title,
        "messages": page.messages,
        "live": visit.share.live,
        "expires_at": visit.share.expires_at,
        "first": visit.place is None,
        "more": visit.passport(page.place) if page.place is not None else None,
        "names": {name: assistant_name(name) for name in registry.available()},
        "events": events_url(token, visit, page) if visit.share.live and visit.place is None else None,
    }
