"""The product as it is served, a scripted model, and people with browsers."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chatproject.lib.ids import new_id
from tests.browser.line import Line
from tests.browser.people import Person, ask, register
from tests.openid import CLIENT_ID, CLIENT_SECRET
from tests.openid import Provider as OpenID
from tests.provider import Provider
from tests.serving import Serve, data_dir

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def acme() -> Iterator[OpenID]:
    """An OpenID provider, through which people may log in."""
    with OpenID("") as acme:
        yield acme


@pytest.fixture(scope="session")
def product(acme: OpenID) -> Iterator[Serve]:
    """A product with two web processes, a scripted model and an OpenID provider."""
    with data_dir() as folder, Provider() as provider:
        model = {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "scripted"}
        client = {"OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET, "OIDC_NAME": "Acme"}
        model["DJANGO_SETTINGS_MODULE"] = "tests.browser.settings"
        # What fails in one test is no reason to leave an assistant alone in the next.
        model["BREAKER_CALLS"] = "1000000000"
        model["OUTGOING_ALLOWED_HOSTS"] = "127.0.0.1"  # where the plugins of tests are
        settings = {"WEB_PROCESSES": "2", **model, "OIDC_URL": acme.url, **client}
        with Serve(folder, settings=settings) as serve:
            acme.client.redirect_uri = f"{serve.url}accounts/oidc/oidc/login/callback/"
            yield serve


@pytest.fixture(scope="session")
def site(product: Serve) -> str:
    """Its address."""
    return product.url


@pytest.fixture(scope="session")
def admin_token(product: Serve) -> str:
    """An access token of the user `admin`, whose password was printed at the start."""
    password = product.wait_for("Admin user: admin, password: ").split()[0]
    return str(ask(product.url, "auth/token/", {"username": "admin", "password": password})["access"])


@pytest.fixture
def line(site: str) -> Iterator[Line]:
    """A way to the same product that can be cut."""
    with Line(urlsplit(site).port or 0) as line:
        yield line


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium. No longer than a module: its loop must not run while tests with loops of their own do."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Opens a browser of its own at the site (or at `at`); what its page complains of fails the test."""
    contexts, complaints = [], []

    def visit(at: str = site, **options: Any) -> Page:
        context = browser.new_context(base_url=at, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _note(complaints, message.text))
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], text: str) -> None:
    if "Content Security Policy" in text or "Uncaught" in text:
        complaints.append(text)


@pytest.fixture
def person(visitor: Callable[..., Page], site: str) -> Callable[..., Person]:
    """A new person, logged in; the same one again, in another browser, by `as_user`."""

    def make(name: str = "alice", at: str = site, as_user: Person | None = None, **options: Any) -> Person:
        user = as_user.user if as_user else f"{name}-{new_id().hex[-10:]}"
        who = Person(visitor(at, **options), user, register(site, user) if as_user is None else as_user.token)
        who.log_in()
        return who

    return make


@pytest.fixture
def alice(person: Callable[..., Person]) -> Person:
    return person("alice")
