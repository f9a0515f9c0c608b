"""Law 6 as a table: who gets past which door of the API and of the pages."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

ROLES = ("owner", "editor", "agent", "viewer")
ANYBODY, LOGIN, STAFF = "anybody", "login", "staff"
# Staff with Django's permissions for connectors.
BUILDER = "builder"
# Not there as the tests are set up, for nobody.
NOTHING = "nothing"
# For who made it, whoever else takes part in conversations of theirs.
MINE = "mine"
# For who has the link and its password; accounts do not matter, and it opens nothing else.
LINK = "link"
OUTSIDE = ("anonymous", "holder")
ALL, SPEAK, CHANGE, OWN = (
    "owner editor agent viewer",
    "owner editor agent",
    "owner editor",
    "owner",
)
ONE = "conversations/<uuid:id>/"
MESSAGE = f"{ONE}messages/<uuid:message>/"
# Who gets past the door of each route of the API, by method.
API: dict[str, dict[str, str]] = {
    "auth/register/": {"POST": ANYBODY},
    "auth/token/": {"POST": ANYBODY},
    "auth/token/refresh/": {"POST": ANYBODY},
    "auth/token/revoke/": {"POST": ANYBODY},
    "auth/ticket/": {"POST": LOGIN},
    "api-keys/": {"GET": LOGIN, "POST": LOGIN},
    "api-keys/<uuid:id>/": {"DELETE": MINE},
    "logins/": {"GET": LOGIN},
    "logins/<uuid:id>/": {"DELETE": MINE},
    "me/": {"GET": LOGIN, "PATCH": LOGIN},
    "assistants/": {"GET": LOGIN},
    "connectors/": {"GET": BUILDER, "POST": BUILDER},
    "connectors/<uuid:id>/": {"GET": BUILDER, "PATCH": BUILDER, "DELETE": BUILDER},
    "connectors/<uuid:id>/test/": {"POST": BUILDER},
    "assistants/<str:name>/route/": {"POST": STAFF},
    "usage/": {"GET": LOGIN},
    "conversations/": {"GET": LOGIN, "POST": LOGIN},
    "conversations/import/": {"POST": LOGIN},
    ONE: {"GET": ALL, "PATCH": CHANGE, "DELETE": OWN},
    f"{ONE}members/": {"GET": ALL, "POST": OWN},
    f"{ONE}members/<uuid:user>/": {"PATCH": OWN, "DELETE": OWN},
    f"{ONE}handoff/": {"POST": SPEAK},
    f"{ONE}claim/": {"POST": "agent"},
    f"{ONE}release/": {"POST": SPEAK},
    f"{ONE}messages/": {"GET": ALL, "POST": SPEAK},
    # The message is the owner's: nobody else may delete it.
    MESSAGE: {"GET": ALL, "PATCH": SPEAK, "DELETE": OWN},
    f"{MESSAGE}versions/": {"GET": ALL},
    f"{MESSAGE}pin/": {"PUT": SPEAK},
    f"{MESSAGE}select/": {"PUT": SPEAK, "POST": SPEAK},
    f"{MESSAGE}regenerate/": {"POST": SPEAK},
    f"{MESSAGE}feedback/": {"PUT": ALL},
    f"{ONE}events/": {"GET": ALL},
    f"{ONE}snapshots/": {"GET": ALL, "POST": CHANGE},
    f"{ONE}snapshots/<int:seq>/": {"GET": ALL},
    f"{ONE}snapshots/<int:seq>/restore/": {"POST": OWN},
    f"{ONE}export/": {"GET": ALL},
    f"{ONE}shares/": {"GET": OWN, "POST": OWN},
    f"{ONE}shares/<uuid:share>/": {"DELETE": OWN},
    "shared/<str:token>/": {"GET": LINK},
    "shared/<str:token>/events/": {"GET": LINK},
    "shared/<str:token>/file/": {"GET": LINK},
    "files/": {"GET": LOGIN, "POST": LOGIN},
    "files/<uuid:id>/": {"GET": ALL, "DELETE": OWN},
    "stream/": {"GET": LOGIN},
    "search/": {"GET": LOGIN},
    "templates/": {"GET": LOGIN, "POST": STAFF},
    "templates/<slug:key>/": {"GET": LOGIN, "PATCH": STAFF, "DELETE": STAFF},
    "exports/": {"GET": LOGIN, "POST": LOGIN},
    "exports/<uuid:id>/": {"GET": MINE, "DELETE": MINE},
    "exports/<uuid:id>/download/": {"GET": MINE},
    "batches/": {"GET": LOGIN, "POST": LOGIN},
    "batches/<uuid:id>/": {"GET": MINE, "DELETE": MINE},
    "batches/<uuid:id>/stop/": {"POST": MINE},
    "batches/<uuid:id>/resume/": {"POST": MINE},
    "batches/<uuid:id>/results/": {"GET": MINE},
    "reports/": {"GET": LOGIN, "POST": LOGIN},
    "reports/<uuid:id>/": {"GET": MINE, "DELETE": MINE},
    "reports/<uuid:id>/download/": {"GET": MINE},
    "reports/<uuid:id>/shares/": {"GET": MINE, "POST": MINE},
    "reports/<uuid:id>/shares/<uuid:share>/": {"DELETE": MINE},
    "report-templates/": {"GET": LOGIN, "POST": LOGIN},
    "report-templates/<slug:key>/": {"GET": MINE, "DELETE": MINE},
    "sessions/": {"GET": LOGIN, "POST": LOGIN},
    "sessions/<uuid:id>/": {"GET": MINE, "PATCH": MINE, "DELETE": MINE},
    "sessions/<uuid:id>/messages/": {"POST": MINE},
    f"{ONE}context/": {"GET": ALL},
    "runs/<uuid:id>/": {"GET": ALL, "PATCH": SPEAK, "DELETE": SPEAK},
    "runs/<uuid:id>/answer/": {"POST": SPEAK},
    f"{ONE}runs/": {"GET": ALL},
    "runs/<uuid:id>/context/": {"GET": ALL},
    "runs/<uuid:id>/stop/": {"POST": SPEAK},
}
# Routes of the API that others speak too, with their whole address.
OTHERS: dict[str, dict[str, str]] = {"v1/chat": {"POST": LOGIN}}
# Everything else: open to anybody, to who is logged in, or (with an id) to members.
PAGES = {
    "api/schema/": ANYBODY,
    "api/docs/": ANYBODY,
    "livez": ANYBODY,
    "readyz": ANYBODY,
    "metrics": ANYBODY,
    ".well-known/jwks.json": NOTHING,
    "language/": ANYBODY,
    "account/": LOGIN,
    "account/close/": LOGIN,
    "documentation/": ANYBODY,
    "documentation/<path:page>": ANYBODY,
    "": LOGIN,
    "list/": LOGIN,
    "begin/<slug:slug>/": LOGIN,
    "s/<str:token>/": LINK,
    "connections/": LOGIN,
    # Without a leave of this session, there is nothing to come back from.
    "connections/callback/": LOGIN,
    "connections/<slug:name>/connect/": LOGIN,
    "connections/<uuid:id>/disconnect/": MINE,
    "exports/": LOGIN,
    "exports/list/": LOGIN,
    "exports/start/": LOGIN,
    "exports/<uuid:id>/remove/": MINE,
    "batches/": LOGIN,
    "batches/list/": LOGIN,
    "batches/<uuid:id>/": MINE,
    "batches/<uuid:id>/progress/": MINE,
    "batches/<uuid:id>/stop/": MINE,
    "batches/<uuid:id>/resume/": MINE,
    "batches/<uuid:id>/remove/": MINE,
    "reports/": LOGIN,
    "reports/list/": LOGIN,
    "reports/templates/": LOGIN,
    "reports/templates/<slug:slug>/remove/": MINE,
    "reports/<uuid:id>/": MINE,
    "reports/<uuid:id>/progress/": MINE,
    "reports/<uuid:id>/share/": MINE,
    "reports/<uuid:id>/share/<uuid:share>/revoke/": MINE,
    "reports/<uuid:id>/remove/": MINE,
    "search/": LOGIN,
    "c/<uuid:id>/": ALL,
    "c/<uuid:id>/m/": ALL,
    "c/<uuid:id>/m/<uuid:message>/": ALL,
    "c/<uuid:id>/stop/": SPEAK,
    "c/<uuid:id>/answer/": SPEAK,
    "c/<uuid:id>/standing/": ALL,
    "c/<uuid:id>/handoff/": SPEAK,
    "c/<uuid:id>/claim/": "agent",
    "c/<uuid:id>/release/": SPEAK,
    "c/<uuid:id>/queue/": SPEAK,
    "c/<uuid:id>/title/": CHANGE,
    "c/<uuid:id>/status/": OWN,
    "c/<uuid:id>/erase/": OWN,
    "c/<uuid:id>/earlier/": OWN,
    "c/<uuid:id>/read/": ALL,
}
# Django's and allauth's own, which have tests of their own.
FOREIGN = ("admin/", "accounts/")


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every route of ours, and its view."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith(FOREIGN):
            continue
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from routes(pattern, route)


# `reader` is staff who may read content: in the admin, nowhere else.
EVERYBODY = (*OUTSIDE, "stranger", "staff", "reader", "builder", *ROLES[::-1])


def expected(policy: str, who: str) -> str:
    if policy == ANYBODY:
        return "in"
    if policy == NOTHING:
        return "not_found"
    if policy == LINK:
        return "in" if who == "holder" else "unauthenticated"
    if who in OUTSIDE:
        return "unauthenticated"
    if policy == MINE:
        return "in" if who == "owner" else "not_found"
    if policy == LOGIN or who in policy.split():
        return "in"
    if policy in (STAFF, BUILDER):
        allowed = ("staff", "reader", "builder") if policy == STAFF else ("builder",)
        return "in" if who in allowed else "forbidden"
    return "forbidden" if who in ROLES else "not_found"
