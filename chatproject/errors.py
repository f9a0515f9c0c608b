"""Failures outside of any view: a problem document for API clients, a page for people."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatproject.lib.errors import Problem
from conversations.api.problems import as_problem, plain_response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, as_problem(exception))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, Problem("forbidden"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: the form is too old, or cookies are off."""
    return problem_page(request, Problem("forbidden", "The CSRF token is missing or too old; load the page again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, Problem("not_found"))


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """allauth asks for this one: too many log-ins or sign-ups."""
    return problem_page(request, Problem("rate_limited"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the exception is being handled: where PostgreSQL is away, it is not our code's fault."""
    error = sys.exception()
    return problem_page(request, as_problem(error) if isinstance(error, Exception) else Problem("internal"))


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as whoever asked can read it."""
    if request.path.startswith(("/api/", "/v1/")):
        return plain_response(problem, request)
    answer = render(request, "error.html", {"problem": problem}, status=problem.code.status)
    if problem.retry_after_ms is not None:
        answer["Retry-After"] = str(-(-problem.retry_after_ms // 1000))
    return answer
