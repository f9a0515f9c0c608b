"""Law 6: every route and every command declares who may use it, and keeps to it."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.services import apikeys, tokens
from conversations.api.base import View
from conversations.batches.questions import Question
from conversations.connectors.oauth import Tokens
from conversations.models import Authorisation, Connector, Run
from conversations.reports import making
from conversations.services import (
    authorisations,
    batches,
    connectors,
    conversations,
    exports,
    files,
    reports,
    reporttemplates,
    sessions,
    shares,
    templates,
)
from conversations.services.shares import Wish
from realtime.commands import COMMANDS
from tests.api import Api
from tests.conftest import identity_of, new_user
from tests.conversations.admin.conftest import new_staff

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
PASSWORD = "open sesame"
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


def test_every_route_has_a_policy() -> None:
    found = {route for route, _ in routes()}
    known = {f"api/v1/{route}" for route in API} | set(OTHERS) | set(PAGES)
    assert not found - known, "a route without a policy: add it to the table of this test"
    assert not known - found, "a policy without a route"


def test_every_method_has_a_policy_and_a_permission() -> None:
    for route, callback in routes():
        if not route.startswith("api/v1/") and route not in OTHERS:
            continue
        view = callback.cls
        methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS", "HEAD"}
        assert methods == set((API | OTHERS)[route.removeprefix("api/v1/")]), route
        if issubclass(view, View) and "<uuid:id>" in route:
            assert set(view.permissions) == methods, f"{route} declares no permission for some method"


def test_every_page_about_a_conversation_declares_permissions() -> None:
    for route, callback in routes():
        view = getattr(callback, "view_class", None)
        if view and route.startswith("c/"):
            methods = {name.upper() for name in view.http_method_names if hasattr(view, name)} - {"OPTIONS"}
            assert set(view.permissions) == methods, f"{route} declares no permission for some method"


def test_every_command_about_a_conversation_declares_a_permission() -> None:
    free = {"Leave", "Ack"}  # leaving is always allowed
    for frame, command in COMMANDS.items():
        if {"conversation", "run"} & set(frame.__struct_fields__) and frame.__name__ not in free:
            assert command.permission, f"{frame.__name__} declares no permission"


def report_of(user: User, conversation: UUID) -> UUID:
    """A report that is made."""
    wish = reports.Wish(template="transcript", form="md", assistant="guide", conversations=[conversation])
    report = reports.start(user=user, wish=wish)
    making.work(str(report.id))
    return report.id


class Cast:
    """A conversation with somebody of every role, a question, and people outside."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {role: new_user(role) for role in (*ROLES, "victim", "stranger")}
        self.users |= {"staff": new_staff("Staff"), "reader": new_staff("Reader", "read_content", "view_conversation")}
        members = [{"user": str(self.users[role].id), "role": role} for role in ROLES[1:]]
        members.append({"user": str(self.users["victim"].id), "role": "viewer"})
        made = conversations.create(
            user=self.users["owner"], assistant="guide", message="Hello", members=members
        ).result(30)
        self.users["builder"] = new_staff(
            "Builder", *(f"{act}_connector" for act in ("view", "add", "change", "delete"))
        )
        wish_for = {"name": f"cast-{made.conversation.id.hex}", "kind": "mcp", "config": {"url": "https://127.0.0.1/"}}
        with override_settings(OUTGOING_ALLOWED_HOSTS=["127.0.0.1"]):
            self.connector = connectors.create(staff=self.users["builder"], given=wish_for).id
        self.personal = self._personal(f"mine-{made.conversation.id.hex}")
        self.conversation: UUID = made.conversation.id
        self.message = made.main["data"]["message"]
        self.run = Run.objects.get(conversation=made.conversation).id
        slug = f"cast-{self.conversation.hex}"
        self.template = templates.create(staff=self.users["staff"], given={"slug": slug, "name": "Cast"})
        given = files.Upload(BytesIO(b"Minutes"), 7, "minutes.txt")
        self.session = sessions.begin_http(user=self.users["owner"], conversation=self.conversation).id
        self.file = files.upload(user=self.users["owner"], conversation=self.conversation, given=given).id
        wanted = batches.Wish(assistant="guide")
        self.batch = batches.start(user=self.users["owner"], questions=[Question(1, "Why?")], wish=wanted).id
        self.report = report_of(self.users["owner"], self.conversation)
        given_template = reporttemplates.Given(slug, "Cast", b"# {{ title }}")
        reporttemplates.keep(user=self.users["owner"], given=given_template)
        self.report_share, self.report_token = shares.create_of_report(
            user=self.users["owner"], report=self.report, wish=Wish(password=PASSWORD)
        )
        self.export = exports.start(user=self.users["owner"]).id
        self.key = apikeys.create(user=self.users["owner"], name="Robot", scopes=["read"])[0].id
        self.login = identity_of(self.users["owner"]).login
        wish = Wish(mode="live", password=PASSWORD)
        self.share, self.token = shares.create(user=self.users["owner"], conversation=self.conversation, wish=wish)

    def _personal(self, name: str) -> Connector:
        """What acts in the name of users; the owner allowed it."""
        auth = {
            "type": "user",
            "client_id": "us",
            "authorize_url": "https://a.example/",
            "token_url": "https://t.example/",
        }
        config = {"openapi_url": "https://plugin.example/", "auth": auth}
        given = {"name": name, "kind": "http", "config": config}
        made = connectors.create(staff=self.users["builder"], given=given)
        self.allowed = Authorisation(connector=made, user=self.users["owner"])
        authorisations.keep(self.allowed, Tokens("access"))
        return made

    def access_of(self, user: str) -> str:
        """An access token of one of them, by id."""
        return tokens.issue(next(one for one in self.users.values() if str(one.id) == user))["access"]

    def path(self, route: str) -> str:
        ids = {
            "runs": self.run,
            "files": self.file,
            "exports": self.export,
            "reports": self.report,
            "batches": self.batch,
            "connectors": self.connector,
            "sessions": self.session,
        }
        ids |= {"api-keys": self.key, "logins": self.login, "connections": self.allowed.id}
        id_ = ids.get(route.split("/")[0], self.conversation)
        if route.startswith("report-templates/"):
            route = route.replace("<slug:key>", self.template.slug)
        if route.startswith("reports/"):
            route = route.replace("<uuid:share>", str(self.report_share.id))
        if route == "shared/<str:token>/file/":
            route = route.replace("<str:token>", self.report_token)
        return (
            route.replace("<uuid:id>", str(id_))
            .replace("<uuid:user>", str(self.users["victim"].id))
            .replace("<uuid:message>", str(self.message))
            .replace("<slug:key>", str(self.template.id))
            .replace("<slug:slug>", self.template.slug)
            .replace("<slug:name>", self.personal.name)
            .replace("<int:seq>", "1")
            .replace("<uuid:share>", str(self.share.id))
            .replace("<str:token>", self.token)
        )


@pytest.fixture
def cast() -> Cast:
    return Cast()


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


@pytest.mark.parametrize(
    ("route", "method", "policy"),
    [
        (f"/{route}" if route in OTHERS else route, method, policy)
        for route, methods in (API | OTHERS).items()
        for method, policy in methods.items()
    ],
)
def test_the_api(cast: Cast, route: str, method: str, policy: str) -> None:
    """The refused come first, so that what the others do changes nothing for them."""
    for who in sorted(EVERYBODY, key=lambda who: expected(policy, who) == "in"):
        if (method, policy) == ("DELETE", STAFF) and who in ("reader", "builder"):
            continue  # it is gone by then
        user = cast.users.get(who)
        api = Api(tokens.issue(user)["access"] if user else None)
        headers = {"X-Share-Password": PASSWORD} if who == "holder" else {}
        answer = api.request(method, cast.path(route), {"role": "viewer"} if method == "PATCH" else None, headers)
        refused = answer.code in ("unauthenticated", "forbidden", "not_found")
        # Without a body these say `unauthenticated` or `invalid` for reasons of their own.
        outcome = answer.code if refused and policy != ANYBODY else "in"
        assert outcome == expected(policy, who), f"{who}: {method} {route} -> {answer.status}"


def test_the_desk_in_the_list_of_conversations(cast: Cast) -> None:
    """For whoever may claim what is not theirs; a role somewhere, or to be staff, is not enough."""
    users = {**cast.users, "answers": new_staff("Dora", "answer_as_agent"), "no staff": new_user("Emil")}
    users["no staff"].user_permissions.set(users["answers"].user_permissions.all())
    for who in (*EVERYBODY, "no staff", "answers"):
        user = users.get(who)
        answer = Api(tokens.issue(user)["access"] if user else None).get("conversations/?of=desk")
        wanted = {"answers": "in"} | dict.fromkeys(OUTSIDE, "unauthenticated")
        assert (answer.code or "in") == wanted.get(who, "forbidden"), who


@pytest.mark.parametrize(("route", "policy"), [(r, p) for r, p in PAGES.items() if "<path" not in r])
def test_the_pages(cast: Cast, route: str, policy: str) -> None:
    view = dict(routes())[route]
    reads = not hasattr(view, "view_class") or hasattr(view.view_class, "get")
    for who in ("anonymous", "owner") if policy == ANYBODY else EVERYBODY:
        browser = Client(raise_request_exception=False)
        if who in cast.users:
            browser.force_login(cast.users[who])
        if who == "holder":
            browser.post(f"/s/{cast.token}/", {"password": PASSWORD})
        place = f"/{cast.path(route)}"
        answer = browser.get(place) if reads else browser.post(place, {"run": str(cast.run)})
        wanted = expected(policy, who)
        if wanted == "unauthenticated" and policy == LINK:
            assert answer.status_code == 401
        elif wanted == "unauthenticated":
            assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/accounts/login/"), route
        elif wanted == "in":
            assert answer.status_code < 500
            assert answer.status_code not in (401, 403, 404), f"{who}: {route} -> {answer.status_code}"
        else:
            assert answer.status_code == {"not_found": 404, "forbidden": 403}[wanted], f"{who}: {route}"
