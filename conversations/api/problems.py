"""Errors as RFC 9457 `application/problem+json`, with a code of the one registry."""

import logging
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import Error
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from chatproject.lib import database, metrics
from chatproject.lib.errors import Problem
from chatproject.lib.http import etag

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
_DRF_CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.NotAuthenticated, "unauthenticated"),
    (exceptions.AuthenticationFailed, "unauthenticated"),
    (exceptions.PermissionDenied, "forbidden"),
    (exceptions.NotFound, "not_found"),
    (Http404, "not_found"),
    (exceptions.UnsupportedMediaType, "unsupported"),
    (exceptions.NotAcceptable, "unsupported"),
    (exceptions.Throttled, "rate_limited"),
    (RequestDataTooBig, "too_large"),
    (SuspiciousOperation, "invalid"),
)


def problem_response(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: every failure, expected or not, as a problem document."""
    problem = as_problem(error)
    if problem.code.name == "internal":
        log.error("unexpected error", exc_info=error)
    metrics.errors.labels("http", problem.code.name).inc()
    set_rollback()
    status = status_of(problem, error)
    body = {**document(problem, context["request"]), "status": status}
    response = Response(body, status=status, content_type=CONTENT_TYPE)
    for name, value in headers(problem, error, context).items():
        response[name] = value
    return response


def as_problem(error: Exception) -> Problem:
    """The Problem that `error` is, or stands for."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Error):
        return database.as_problem(error)
    if isinstance(error, exceptions.ValidationError):
        return Problem("invalid", errors=_field_errors(error.detail))
    for kind, code in _DRF_CODES:
        if isinstance(error, kind):
            return Problem(code, _detail(error))
    if isinstance(error, exceptions.APIException) and error.status_code < 500:
        return Problem("invalid", _detail(error))
    return Problem("internal")


def status_of(problem: Problem, error: Exception) -> int:
    """The registry's status, but 405 and 406, which HTTP itself defines."""
    if isinstance(error, exceptions.MethodNotAllowed | exceptions.NotAcceptable):
        return error.status_code
    return problem.code.status


def headers(problem: Problem, error: Exception, context: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    if problem.retry_after_ms is not None:
        found["Retry-After"] = str(-(-problem.retry_after_ms // 1000))
    if problem.code.name == "stale" and "version" in problem.extra:
        found["ETag"] = etag(problem.extra["version"])
    if problem.code.status == 401:
        found["WWW-Authenticate"] = "Bearer"
    if isinstance(error, exceptions.MethodNotAllowed):
        found["Allow"] = ", ".join(context["view"].allowed_methods)
    return found


def document(problem: Problem, request: Any) -> dict[str, Any]:
    """The body: `{type, title, status, detail, code, errors?, request_id}` and further members."""
    body: dict[str, Any] = {
        "type": f"/api/docs/#code-{problem.code.name}",
        "title": _(problem.code.sentence),
        "status": problem.code.status,
        "detail": problem.detail,
        "code": problem.code.name,
        "request_id": getattr(request, "request_id", None),
        **problem.extra,
    }
    if problem.errors:
        body["errors"] = problem.errors
    if problem.retry_after_ms is not None:
        body["retry_after_ms"] = problem.retry_after_ms
    return body


def plain_response(problem: Problem, request: HttpRequest) -> JsonResponse:
    """A problem document outside of DRF: unknown routes, CSRF failures, crashes."""
    metrics.errors.labels("http", problem.code.name).inc()
    answer = JsonResponse(document(problem, request), status=problem.code.status, content_type=CONTENT_TYPE)
    if problem.code.status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def _detail(error: Exception) -> str:
    detail = getattr(error, "detail", None)
    return str(detail) if detail else ""


def _field_errors(detail: Any) -> dict[str, list[str]]:
    if isinstance(detail, dict):
        return {field: _sentences(texts) for field, texts in detail.items()}
    return {"non_field_errors": _sentences(detail)}


def _sentences(texts: Any) -> list[str]:
    if isinstance(texts, dict):
        return [f"{field}: {text}" for field, found in texts.items() for text in _sentences(found)]
    return [str(text) for text in (texts if isinstance(texts, list) else [texts])]
