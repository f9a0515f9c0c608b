"""Requests to addresses that people give: never into our own networks, and bounded."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chatproject.lib import outgoing
from chatproject.lib.errors import Problem
from chatproject.lib.outgoing import Refused
from chatproject.lib.outgoing.addresses import is_public
from chatproject.lib.outgoing.rules import Resolve
from tests.tls import Authority

PLUGIN = "plugin.example"
PUBLIC = "93.184.216.34"
INWARDS = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:93.184.216.34",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "nonsense",
    "",
]


@pytest.mark.parametrize("address", INWARDS)
def test_addresses_that_are_not_on_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700:4700::1111", "2a00::1"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_never_public(inner: Any) -> None:
    for outer in ("::ffff:{}", "::{}", "64:ff9b::{}"):
        assert not is_public(outer.format(inner))
    assert not is_public(f"2002:{int(inner) >> 16:x}:{int(inner) & 0xFFFF:x}::1")


# --- What may be kept -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://plugin.example/",
        "ftp://plugin.example/",
        "file:///etc/passwd",
        "gopher://plugin.example/",
        "https://",
        "//plugin.example/",
        "plugin.example",
        "",
        "https://plugin.example:22/",
        "https://user:secret@plugin.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0177.0.0.1/",
        "https://exa mple/",
        "https://plugin.example:99999/",
        "https://\0/",
    ],
)
def test_addresses_that_are_not_kept(url: str) -> None:
    with pytest.raises(Problem) as refused:
        outgoing.check_address(url)
    assert refused.value.code.name == "invalid"
    assert refused.value.errors
    assert "secret" not in str(refused.value.errors)


def test_addresses_that_are_kept(settings: Settings) -> None:
    assert outgoing.check_address("https://PLUGIN.example/a?b=c") == "https://plugin.example/a?b=c"
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1:8080", "Inside.example", "[::1]"]
    for url in ("http://127.0.0.1:8080/", "http://inside.example:99/", "https://[::1]:1/"):
        assert outgoing.check_address(url) == url
    with pytest.raises(Problem):
        outgoing.check_address("http://127.0.0.1:8081/")


# --- Real requests ----------------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    """A host on loopback, that of a plugin or of a villain."""

    def do_GET(self) -> None:
        self.server.requests.append((self.headers["Host"], self.path))  # type: ignore[attr-defined]
        path, _, rest = self.path.partition("?")
        with suppress(OSError):
            getattr(self, path.strip("/") or "plain")(rest)

    def plain(self, rest: str) -> None:
        self.answer(b"Hello")

    def redirect(self, rest: str) -> None:
        self.answer(b"", 302, Location=rest)

    def round(self, rest: str) -> None:
        self.answer(b"", 302, Location=self.path)

    def large(self, rest: str) -> None:
        self.answer(b"x" * 5000)

    def packed(self, rest: str) -> None:
        self.answer(gzip.compress(b"x" * 100_000), Content_Encoding="gzip")

    def echo(self, rest: str) -> None:
        self.answer(repr(sorted(self.headers.items())).encode())

    def slow_head(self, rest: str) -> None:
        self.trickle(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n")

    def slow_body(self, rest: str) -> None:
        self.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x")

    def trickle(self, first: bytes, then: bytes) -> None:
        """A byte now and again, so that no single one is late."""
        self.wfile.write(first)
        for _ in range(100):
            self.wfile.write(then)
            self.wfile.flush()
            time.sleep(0.05)

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Host(ThreadingHTTPServer):
    requests: list[tuple[str, str]]
    daemon_threads = True

    @property
    def port(self) -> int:
        return self.server_address[1]


@contextmanager
def serving(authority: Authority | None = None) -> Iterator[Host]:
    with Host(("127.0.0.1", 0), Handler) as host:
        host.requests = []
        if authority:
            host.socket = authority.server(PLUGIN).wrap_socket(host.socket, server_side=True)
        Thread(target=host.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield host
        host.shutdown()


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def trusted(host: Host, settings: Settings) -> str:
    """The address of `host`, which the operator allows."""
    settings.OUTGOING_ALLOWED_HOSTS = [f"{PLUGIN}:{host.port}"]
    return f"http://{PLUGIN}:{host.port}/"


def to(*answers: str | Exception) -> Resolve:
    """A resolver that gives these answers one after the other, and the last one for ever."""
    left = list(answers)

    def resolve(host: str, port: int) -> list[str]:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer.split()

    return resolve


Get = Callable[..., Any]


def blocking(url: str, **options: Any) -> httpx.Response:
    with outgoing.client(**options) as http:
        return http.get(url)


async def awaited(url: str, **options: Any) -> httpx.Response:
    async with outgoing.async_client(**options) as http:
        return await http.get(url)


@pytest.fixture(params=["blocking", "awaited"])
def get(request: pytest.FixtureRequest) -> Get:
    """GET by either client."""

    async def get(url: str, **options: Any) -> httpx.Response:
        return blocking(url, **options) if request.param == "blocking" else await awaited(url, **options)

    return get


async def test_the_operators_own_host(get: Get, host: Host, trusted: str) -> None:
    answer = await get(trusted, resolve=to("127.0.0.1"))
    assert (answer.status_code, answer.text) == (200, "Hello")
    assert host.requests == [(f"{PLUGIN}:{host.port}", "/")]


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f000001", "localhost", "127.0.0.1", "[::1]"])
async def test_loopback_by_any_name(get: Get, host: Host, settings: Settings, name: str) -> None:
    settings.OUTGOING_SCHEMES, settings.OUTGOING_PORTS = ["http"], [str(host.port)]
    with pytest.raises(httpx.TransportError) as refused:
        await get(f"http://{name}:{host.port}/")
    assert isinstance(refused.value, Refused) or "not found" in str(refused.value)
    assert not host.requests


@pytest.mark.parametrize("answer", [*INWARDS[:-2], f"{PUBLIC} 127.0.0.1", f"127.0.0.1 {PUBLIC}", ""])
async def test_a_name_that_leads_inwards(get: Get, settings: Settings, answer: str) -> None:
    with pytest.raises(Refused) as refused:
        await get("https://evil.example/", resolve=to(answer))
    assert not answer or answer not in str(refused.value), "it is not said what the name resolves to"


async def test_a_name_that_changes_between_check_and_use(get: Get, host: Host, settings: Settings) -> None:
    """Rebinding: what was checked is what is connected to, so the second answer is never used for the first check."""
    settings.OUTGOING_SCHEMES, settings.OUTGOING_PORTS = ["http"], [str(host.port)]
    rebinding = to(PUBLIC, "127.0.0.1")
    url = f"http://evil.example:{host.port}/"
    with pytest.raises(httpx.TransportError):
        await get(url, resolve=rebinding, seconds=0.3)
    with pytest.raises(Refused):
        await get(url, resolve=rebinding)
    assert not host.requests


async def test_each_redirect_is_checked(get: Get, host: Host, trusted: str) -> None:
    for target in (
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/",
        f"http://127.0.0.1:{host.port}/",
        "https://plugin.example:22/",
    ):
        with pytest.raises(Refused):
            await get(f"{trusted}redirect?{target}", resolve=to("127.0.0.1"), follow_redirects=True)
    assert {path.partition("?")[0] for _, path in host.requests} == {"/redirect"}
    answer = await get(f"{trusted}redirect?/plain", resolve=to("127.0.0.1"), follow_redirects=True)
    assert answer.text == "Hello"
    assert (await get(f"{trusted}redirect?/plain", resolve=to("127.0.0.1"))).status_code == 302
    with pytest.raises(httpx.TooManyRedirects):
        await get(f"{trusted}round", resolve=to("127.0.0.1"), follow_redirects=True)


async def test_a_secret_does_not_travel_to_another_host(get: Get, host: Host, trusted: str, settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = [PLUGIN, "other.example"]
    url = f"{trusted}redirect?http://other.example:{host.port}/echo"
    secret = {"Authorization": "Bearer secret"}
    answer = await get(url, resolve=to("127.0.0.1"), follow_redirects=True, headers=secret)
    assert "other.example" in answer.text
    assert "secret" not in answer.text


async def test_answers_are_bounded(get: Get, trusted: str) -> None:
    options = {"resolve": to("127.0.0.1"), "max_bytes": 4999}
    with pytest.raises(Refused, match="too long"):
        await get(f"{trusted}large", **options)
    assert len((await get(f"{trusted}large", **{**options, "max_bytes": 5000})).content) == 5000
    with pytest.raises(Refused):
        await get(f"{trusted}packed", **options)


@pytest.mark.parametrize("path", ["slow_head", "slow_body"])
async def test_answers_end_in_time(get: Get, trusted: str, path: str) -> None:
    """However often a byte comes."""
    begun = time.monotonic()
    with pytest.raises(httpx.TimeoutException):
        await get(f"{trusted}{path}", resolve=to("127.0.0.1"), seconds=0.4)
    assert time.monotonic() - begun < 3


async def test_a_resolver_that_fails_or_hangs(get: Get, trusted: str) -> None:
    def hang(host: str, port: int) -> list[str]:
        time.sleep(1)
        return []

    for resolve in (to(OSError("no such host")), to(UnicodeError("label too long"))):
        with pytest.raises(httpx.ConnectError):
            await get(trusted, resolve=resolve)
    with pytest.raises(httpx.ConnectTimeout):
        await get(trusted, resolve=hang, seconds=0.1)


async def test_the_second_address_where_the_first_is_dead(get: Get, host: Host, trusted: str) -> None:
    assert (await get(trusted, resolve=to("127.0.0.99 127.0.0.1"))).text == "Hello"
    with pytest.raises(httpx.ConnectError):
        await get(trusted, resolve=to("127.0.0.98 127.0.0.99"))


async def test_proxies_of_the_environment_count_for_nothing(
    get: Get, host: Host, trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await get(trusted, resolve=to("127.0.0.1"))).text == "Hello"
        assert not proxy.requests
        assert host.requests


async def test_certificates_are_for_the_name(get: Get, settings: Settings, tmp_path: Path) -> None:
    """TLS has the name although the connection goes to an address."""
    authority = Authority(tmp_path)
    with serving(authority) as host:
        settings.OUTGOING_ALLOWED_HOSTS = [PLUGIN, "other.example"]
        resolve = to("127.0.0.1")
        answer = await get(f"https://{PLUGIN}:{host.port}/", resolve=resolve, tls=authority.trusted)
        assert answer.text == "Hello"
        with pytest.raises(httpx.ConnectError):
            await get(f"https://other.example:{host.port}/", resolve=resolve, tls=authority.trusted)
        with pytest.raises(httpx.ConnectError):
            await get(f"https://{PLUGIN}:{host.port}/", resolve=resolve)
    assert [path for _, path in host.requests] == ["/"]
