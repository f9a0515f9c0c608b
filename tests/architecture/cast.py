"""Somebody of every role, and something of every kind for them to be let at, or not."""

from functools import cached_property
from io import BytesIO
from uuid import UUID

from django.test import override_settings

from accounts.models import User
from accounts.services import apikeys, tokens
from conversations.batches.questions import Question
from conversations.connectors.oauth import Tokens
from conversations.models import Authorisation, Connector, Run, Share
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
from tests.architecture.policies import ROLES
from tests.conftest import identity_of, new_user
from tests.conversations.admin.conftest import new_staff

PASSWORD = "open sesame"
BUILDING = tuple(f"{act}_connector" for act in ("view", "add", "change", "delete"))
# What a parameter of a route stands for, of those that begin with some word or of all.
CALLED = {
    "<uuid:id>": "conversation",
    "runs/<uuid:id>": "run",
    "files/<uuid:id>": "file",
    "exports/<uuid:id>": "export",
    "reports/<uuid:id>": "report",
    "batches/<uuid:id>": "batch",
    "sessions/<uuid:id>": "session",
    "connectors/<uuid:id>": "connector",
    "connections/<uuid:id>": "allowed",
    "api-keys/<uuid:id>": "key",
    "logins/<uuid:id>": "login",
    "<uuid:user>": "victim",
    "<uuid:message>": "message",
    "<uuid:share>": "share",
    "reports/<uuid:share>": "report_share",
    "<str:token>": "token",
    "shared/<str:token>/file/": "report_token",
    "<slug:key>": "template",
    "<slug:slug>": "template",
    "report-templates/<slug:key>": "report_template",
    "reports/<slug:slug>": "report_template",
    "<slug:name>": "personal",
    "<str:name>": "assistant",
    "<int:seq>": "seq",
}
AUTH = {"type": "user", "client_id": "us", "authorize_url": "https://a.example/", "token_url": "https://t.example/"}


class Cast:
    """A conversation with somebody of every role, a question, and people outside. All else is the owner's (or of
    staff), and made when it is asked for."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {role: new_user(role) for role in (*ROLES, "victim", "stranger")}
        self.users |= {"staff": new_staff("Staff"), "reader": new_staff("Reader", "read_content", "view_conversation")}
        self.users["builder"] = new_staff("Builder", *BUILDING)
        self.owner = self.users["owner"]
        members = [{"user": str(self.users[role].id), "role": role} for role in ROLES[1:]]
        members.append({"user": str(self.users["victim"].id), "role": "viewer"})
        made = conversations.create(user=self.owner, assistant="guide", message="Hello", members=members).result(30)
        self.conversation: UUID = made.conversation.id
        self.message = made.main["data"]["message"]
        self.run = Run.objects.get(conversation=made.conversation).id
        self.slug = f"cast-{self.conversation.hex}"
        self.victim, self.assistant, self.seq = self.users["victim"].id, "guide", 1

    @cached_property
    def connector(self) -> UUID:
        given = {"name": self.slug, "kind": "mcp", "config": {"url": "https://127.0.0.1/"}}
        with override_settings(OUTGOING_ALLOWED_HOSTS=["127.0.0.1"]):
            return connectors.create(staff=self.users["builder"], given=given).id

    @cached_property
    def _personal(self) -> Connector:
        config = {"openapi_url": "https://plugin.example/", "auth": AUTH}
        given = {"name": f"mine-{self.conversation.hex}", "kind": "http", "config": config}
        return connectors.create(staff=self.users["builder"], given=given)

    @property
    def personal(self) -> str:
        """The name of a connector that acts in the name of users."""
        return self._personal.name

    @cached_property
    def allowed(self) -> UUID:
        """The owner's leave for it."""
        given = Authorisation(connector=self._personal, user=self.owner)
        authorisations.keep(given, Tokens("access"))
        return given.id

    @cached_property
    def template(self) -> str:
        return templates.create(staff=self.users["staff"], given={"slug": self.slug, "name": "Cast"}).slug

    @cached_property
    def session(self) -> UUID:
        return sessions.begin_http(user=self.owner, conversation=self.conversation).id

    @cached_property
    def file(self) -> UUID:
        given = files.Upload(BytesIO(b"Minutes"), 7, "minutes.txt")
        return files.upload(user=self.owner, conversation=self.conversation, given=given).id

    @cached_property
    def batch(self) -> UUID:
        wanted = batches.Wish(assistant="guide")
        return batches.start(user=self.owner, questions=[Question(1, "Why?")], wish=wanted).id

    @cached_property
    def report(self) -> UUID:
        """One that is made."""
        wish = reports.Wish(template="transcript", form="md", assistant="guide", conversations=[self.conversation])
        report = reports.start(user=self.owner, wish=wish)
        making.work(str(report.id))
        return report.id

    @cached_property
    def report_template(self) -> str:
        reporttemplates.keep(user=self.owner, given=reporttemplates.Given(self.slug, "Cast", b"# {{ title }}"))
        return self.slug

    @cached_property
    def _shared(self) -> tuple[Share, str]:
        wish = Wish(mode="live", password=PASSWORD)
        return shares.create(user=self.owner, conversation=self.conversation, wish=wish)

    @property
    def share(self) -> UUID:
        return self._shared[0].id

    @property
    def token(self) -> str:
        """Of the link to the conversation."""
        return self._shared[1]

    @cached_property
    def _shared_report(self) -> tuple[Share, str]:
        return shares.create_of_report(user=self.owner, report=self.report, wish=Wish(password=PASSWORD))

    @property
    def report_share(self) -> UUID:
        return self._shared_report[0].id

    @property
    def report_token(self) -> str:
        return self._shared_report[1]

    @cached_property
    def export(self) -> UUID:
        return exports.start(user=self.owner).id

    @cached_property
    def key(self) -> UUID:
        return apikeys.create(user=self.owner, name="Robot", scopes=["read"])[0].id

    @cached_property
    def login(self) -> UUID:
        return identity_of(self.owner).login

    def make_all(self) -> None:
        """Make whatever a route may be about."""
        for there in CALLED.values():
            getattr(self, there)

    def access_of(self, user: str) -> str:
        """An access token of one of them, by id."""
        return tokens.issue(next(one for one in self.users.values() if str(one.id) == user))["access"]

    def path(self, route: str) -> str:
        """A route with what is there in place of its parameters."""
        kind = route.split("/")[0]
        for name in [part for part in route.split("/") if part.startswith("<")]:
            there = CALLED.get(route) or CALLED.get(f"{kind}/{name}") or CALLED[name]
            route = route.replace(name, str(getattr(self, there)))
        return route
