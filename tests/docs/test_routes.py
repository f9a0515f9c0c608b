"""Every route and management command is documented, and what is documented exists."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from realtime.routing import websocket
from tests.docs.pages import BASE, rows, section, text, words

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
API = "api/v1/"
METHODS = ("get", "post", "put", "patch", "delete")


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, route)
        else:
            yield PARAMETER.sub(r"{\1}", route), one


def api_routes() -> set[tuple[str, str]]:
    """(route below /api/v1/, method) of the URL configuration."""
    return {
        (route.removeprefix(API), method.upper())
        for route, pattern in patterns(get_resolver())
        if route.startswith(API)
        for method in METHODS
        if hasattr(view_of(pattern), method)
    }


def view_of(pattern: URLPattern) -> Any:
    """The class behind a route of the API."""
    return vars(pattern.callback)["view_class"]


def test_api_routes() -> None:
    tables = [row for row in rows(text("http-api.md")) if len(row) == 3]
    documented = {(words(route)[0], method) for route, methods, _ in tables for method in methods.split(", ")}
    assert documented == api_routes()


def test_other_routes() -> None:
    table = rows(section(text("http-api.md"), "Outside of /api/v1/"))
    documented = {route for cell, _ in table for route in words(cell)}
    routes = {"/" + route for route, _ in patterns(get_resolver()) if not route.startswith(API)}
    routes |= {"/" + str(one.pattern) for one in websocket.routes}
    missing = {route for route in routes if not any(covers(known, route) for known in documented)}
    assert missing == set()
    assert {known for known in documented if not any(covers(known, route) for route in routes)} == set()


def covers(documented: str, route: str) -> bool:
    """A documented address stands for all below it; `/` only for itself."""
    return route == documented or (documented != "/" and route.startswith(documented))


def test_management_commands() -> None:
    files = [path for app in BASE.iterdir() for path in app.glob("management/commands/*.py")]
    documented = {
        words(command)[0].removeprefix("manage.py ")
        for command, _ in rows(text("deployment.md"))
        if "manage.py" in command
    }
    assert documented == {path.stem for path in files if not path.stem.startswith("_")}


def test_decisions_that_the_code_names_are_there() -> None:
    sources = "\n".join(
        path.read_text()
        for app in ("chatproject", "accounts", "conversations", "realtime")
        for path in (BASE / app).rglob("*.py")
    )
    named = set(re.findall(r"docs/[\w/-]+\.md", sources))
    assert {name for name in named if not (BASE / name).exists()} == set()


def test_files_of_the_layout_are_there() -> None:
    layout = section(text("where-things-live.md"), "The layout")
    files = {path.name for path in BASE.rglob("*.py") if ".venv" not in path.parts}
    assert {name for name in re.findall(r"[\w]+\.py\b", layout) if name not in files} == set()
