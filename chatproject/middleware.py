"""A request id on every answer, the count and time of every request, and static files."""

import logging
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from io import BytesIO

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Redirect, StaticFile

from chatproject.errors import problem_page
from chatproject.lib import metrics
from chatproject.lib.addresses import client_address
from chatproject.lib.caller import called_by, calling
from chatproject.lib.errors import Problem

# What lets in whoever knows it is part of these addresses.
MASKED_PATHS = re.compile(r"(/s/|/api/v1/shared/|/accounts/password/reset/key/|/accounts/confirm-email/)[^/]+")
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


log = logging.getLogger("chatproject.access")


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    """The access log: without the query string, without bodies."""
    if not log.isEnabledFor(logging.INFO):
        return
    path = MASKED_PATHS.sub(r"\1***", request.path)
    fields = {
        "http.request.method": request.method,
        "url.path": path,
        "http.response.status_code": status,
        "event.duration": round(seconds * 1e9),
    }
    log.info("%s %s %s", request.method, path, status, extra={"ecs": fields})


class RequestContext:
    """Sets `request.request_id` (taken over from a proxy where it is well-formed), notes who calls, and measures."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        forwarded = {"x-forwarded-for": request.headers.get("X-Forwarded-For", "")}
        address = client_address(request.META.get("REMOTE_ADDR", ""), forwarded)
        who = calling(address, given if ACCEPTABLE_ID.fullmatch(given) else "")
        request.request_id = who.request_id  # type: ignore[attr-defined]
        began = time.perf_counter()
        with called_by(who):
            response = self.get_response(request)
        response["X-Request-ID"] = who.request_id
        route = request.resolver_match.route if request.resolver_match else "(none)"
        metrics.requests.labels(request.method, route, response.status_code).inc()
        seconds = time.perf_counter() - began
        metrics.request_seconds.observe(seconds)
        with called_by(who):
            _log(request, response.status_code, seconds)
        return response


class Problems:
    """What views of others raise through our hooks (too many log-ins, say) becomes a page, or a problem document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return problem_page(request, error) if isinstance(error, Problem) else None


class StaticFiles(WhiteNoiseMiddleware):
    """WhiteNoise, whose streamed files Django warns of under ASGI: ours are small, so each is sent whole."""

    @staticmethod
    def serve(static_file: StaticFile | Redirect, request: HttpRequest) -> HttpResponse:
        found = static_file.get_response(request.method, request.META)
        with found.file or nullcontext(BytesIO()) as file:
            response = HttpResponse(file.read(), status=found.status)
        for name, value in found.headers:
            response[name] = value
        return response
