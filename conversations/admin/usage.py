"""What runs took and cost, added up: the same table as `GET usage/`."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from chatproject.lib.errors import Problem
from conversations.api.usage import DAYS, one_of, period
from conversations.selectors import usage

GROUPS = {"assistant": _("assistant"), "user": _("user"), "day": _("day")}


def usage_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The table of a time and a grouping, as the query string says; an unreadable one is said so, above the usual."""
    query, problem = request.GET, ""
    try:
        begin, end = period(query)
        group = one_of(query, "group", tuple(usage.GROUPS))
    except Problem as wrong:
        problem = " ".join(text for texts in (wrong.errors or {}).values() for text in texts)
        (begin, end), group = period({}), "assistant"
    rows, total = usage.usage(begin=begin, end=end, group=group, user=None)
    names = usage.names_of(row.key for row in rows) if group == "user" else {}
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": gettext("Usage and cost"),
        "problem": problem,
        "groups": GROUPS,
        "group": group,
        "heading": GROUPS[group],
        "given": {name: query.get(name, "") for name in ("from", "to")},
        "days": DAYS,
        "rows": [(names.get(row.key, row.key), row.public()) for row in rows],
        "total": total.public(),
    }
    return TemplateResponse(request, "admin/conversations/run/usage.html", context)
