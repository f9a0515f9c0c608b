"""Law 6: every route and every command declares who may use it, and keeps to it."""

import pytest
from django.test import Client

from accounts.services import tokens
from conversations.api.base import View
from realtime.commands import COMMANDS
from tests.api import Api
from tests.architecture.cast import PASSWORD, Cast
from tests.architecture.policies import ANYBODY, API, EVERYBODY, LINK, OTHERS, OUTSIDE, PAGES, STAFF, expected, routes
from tests.conftest import new_user
from tests.conversations.admin.conftest import new_staff


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


@pytest.fixture
def cast() -> Cast:
    return Cast()


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
