"""Behind a proxy that ends TLS, with HTTPS=1: real servers, real certificates, pages, cookies and sockets."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from accounts.services import tokens
from chatproject.embedded.web import SERVERS
from chatproject.lib.ids import new_id
from chatproject.lib.threads import in_thread
from tests.faults.cluster import Cluster
from tests.leaks import PASSWORD
from tests.tls import Authority, TlsProxy

SESSION = "__Host-sessionid"


@pytest.fixture(scope="module", params=sorted(SERVERS))
def proxy(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[TlsProxy]:
    folder: Path = tmp_path_factory.mktemp("tls")
    with Cluster(folder, webs=1, workers=0, server=request.param, HTTPS="1") as running:
        with TlsProxy(Authority(folder), running.webs[0].port) as proxy:
            yield proxy
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


@pytest.fixture
def browser(proxy: TlsProxy) -> Iterator[httpx.Client]:
    """One that believes the test's authority."""
    with httpx.Client(base_url=f"https://{proxy.host}", verify=proxy.authority.trusted, timeout=20) as browser:
        yield browser


@pytest.fixture
def plain(proxy: TlsProxy) -> Iterator[httpx.Client]:
    """Past the proxy, in clear."""
    with httpx.Client(base_url=f"http://{proxy.inside}", timeout=20) as plain:
        yield plain


def log_in(browser: httpx.Client) -> httpx.Response:
    """As somebody new, by the form."""
    name = f"tls-{new_id().hex[-12:]}"
    assert browser.post("/api/v1/auth/register/", json={"username": name, "password": PASSWORD}).status_code == 201
    browser.get("/accounts/login/")
    form = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    headers = {"Origin": str(browser.base_url).rstrip("/"), "Referer": f"{browser.base_url}accounts/login/"}
    return browser.post("/accounts/login/", data=form, headers=headers)


def test_pages_and_cookies(browser: httpx.Client) -> None:
    page = browser.get("/accounts/login/")
    assert page.status_code == 200
    assert page.headers["Strict-Transport-Security"] == f"max-age={365 * 24 * 3600}"
    answer = log_in(browser)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    cookies = {text.partition("=")[0]: text.lower() for text in answer.headers.get_list("Set-Cookie")}
    assert {SESSION, "csrftoken"} <= set(cookies)
    assert all("; secure" in text and "samesite=lax" in text for text in cookies.values())
    assert all(mark in cookies[SESSION] for mark in ("httponly", "path=/"))
    assert "domain=" not in cookies[SESSION]
    assert browser.get("/").status_code == 200


def test_a_form_of_another_page_is_refused(browser: httpx.Client) -> None:
    log_in(browser)
    form = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    for origin in ("https://evil.example", str(browser.base_url).replace("https", "http").rstrip("/"), "null"):
        assert browser.post("/accounts/logout/", data=form, headers={"Origin": origin}).status_code == 403
    assert browser.get("/").status_code == 200


def test_in_clear_there_is_nothing(alice: User, plain: httpx.Client) -> None:
    page = plain.get("/c/?a=b")
    assert (page.status_code, page.headers["Location"]) == (301, f"https://{plain.base_url.netloc.decode()}/c/?a=b")
    assert "Set-Cookie" not in page.headers
    refused = plain.get("/api/v1/me/", headers={"Authorization": f"Bearer {tokens.issue(alice)['access']}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert [plain.get(path).status_code for path in ("/livez", "/readyz", "/metrics")] == [200] * 3


@asynccontextmanager
async def opened(proxy: TlsProxy, **options: Any) -> AsyncIterator[ClientConnection]:
    tls = proxy.authority.trusted
    async with connect(f"wss://{proxy.host}/ws/", ssl=tls, close_timeout=1, **options) as link:
        yield link


async def says_hello(link: ClientConnection, **identity: str) -> str | int:
    """What comes back: the type of a frame, or the code of a close."""
    await link.send(json.dumps({"type": "hello", "v": 1, "client_id": "test", **identity}))
    try:
        frame = json.loads(await link.recv())
        return str(frame.get("code") or frame["type"])
    except ConnectionClosed:
        return link.close_code or 0


async def test_sockets(alice: User, proxy: TlsProxy) -> None:
    access = (await in_thread(tokens.issue, alice))["access"]
    async with opened(proxy) as link:
        assert await says_hello(link, token=access) == "welcome"
    inside = f"ws://{proxy.inside}/ws/"
    for said in ({}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https, http"}, {"Forwarded": "proto=https"}):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(inside, additional_headers=said):
                pass
        assert refused.value.response.status_code == 403


async def test_whose_page_may_use_the_cookie(proxy: TlsProxy, browser: httpx.Client) -> None:
    await in_thread(log_in, browser)
    cookie = {"Cookie": f"{SESSION}={browser.cookies[SESSION]}"}
    own = f"https://{proxy.host}"
    for origin, outcome in {
        own: "welcome",
        own.replace("https", "http"): "unauthenticated",
        "https://evil.example": "unauthenticated",
        f"https://localhost:{proxy.port + 1}": "unauthenticated",
        f"https://evil.{proxy.host}": "unauthenticated",
        "null": "unauthenticated",
        "": "unauthenticated",
    }.items():
        said = {**cookie, "Origin": origin} if origin else cookie
        async with opened(proxy, additional_headers=said) as link:
            assert await says_hello(link) == outcome, origin


def test_without_the_setting_nobody_can_say_that_they_came_by_tls(client: Any) -> None:
    assert not settings.HTTPS
    page = client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})
    assert not page.wsgi_request.is_secure()
    assert "Strict-Transport-Security" not in page.headers
