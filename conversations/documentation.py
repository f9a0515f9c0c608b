"""The product's own documentation as pages, so that what the guide names as its sources can be opened."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatproject.lib.errors import Problem
from conversations import markdown
from conversations.assistants.builtin.documentation import documentation


def contents(request: HttpRequest) -> HttpResponse:
    """All pages. For everybody."""
    topics = documentation(settings.BASE_DIR).topics()
    return render(request, "conversations/documentation.html", {"topics": topics})


def page(request: HttpRequest, page: str) -> HttpResponse:
    """One page, by its name in the repository, such as `docs/errors.md`. For everybody."""
    docs = documentation(settings.BASE_DIR)
    sections = [section for section in docs.sections if section.page == page]
    if not sections:
        problem = Problem("not_found")
        return render(request, "error.html", {"problem": problem}, status=problem.code.status)
    shown = [(section, markdown.render(section.text)) for section in sections]
    context = {"title": sections[0].title, "page": page, "sections": shown, "topics": docs.topics()}
    return render(request, "conversations/documentation.html", context)
