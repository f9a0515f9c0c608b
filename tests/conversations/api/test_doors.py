"""What every route of the API has in common: whatever comes in, a clean answer goes out."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from accounts.models import User
from chatproject.bodies import BodyLimit, EncryptedBodies
from tests import openapi
from tests.api import Api

ODD_BODIES = {
    "cut": b'{"title": "x"',
    "nothing": b"",
    "nan": b'{"metadata": {"a": NaN}}',
    "infinity": b'{"metadata": {"a": Infinity}}',
    "huge exponent": b'{"metadata": {"a": 1e999}}',
    "huge integer": b'{"metadata": {"a": ' + b"9" * 5000 + b"}}",
    "lone surrogate": b'{"title": "\\ud800"}',
    "NUL": b'{"title": "a\\u0000b", "metadata": {"\\u0000": "\\u0000"}}',
    "raw NUL": b'{"title": "\x00"}',
    "bad UTF-8": b'{"title": "\xff\xfe"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "deep array": b"[" * 100_000,
    "deep object": b'{"metadata": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}",
    "array": b"[]",
    "string": b'"x"',
    "number": b"7",
    "null": b"null",
    "two": b"{}{}",
    "comment": b"{} // x",
}
NEVER_MIND = {"NUL", "nothing"}  # a title may lose its control characters; no body is an empty object


@pytest.mark.parametrize("name", ODD_BODIES)
@pytest.mark.parametrize("path", ["conversations/", "auth/token/", "auth/register/"])
def test_odd_bodies(as_alice: Api, path: str, name: str) -> None:
    answer = as_alice.post(path, ODD_BODIES[name])
    assert answer.code == "invalid" or (name == "nothing" and answer.status < 400)


def test_a_body_is_so_large(as_alice: Api) -> None:
    body = json.dumps({"title": "x" * 2 * 1024 * 1024}).encode()
    assert (as_alice.post("conversations/", body).status, as_alice.post("conversations/", body).code) == (
        413,
        "too_large",
    )


@pytest.mark.parametrize(
    "type_", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x", ""]
)
def test_another_content_type(as_alice: Api, type_: str) -> None:
    answer = as_alice.request("POST", "conversations/", b'{"title": "x"}', {"Content-Type": type_})
    assert (answer.status, answer.code) == (415, "unsupported")


def test_unknown_routes(as_alice: Api, as_nobody: Api) -> None:
    for path in ("nothing/", "conversations/not-an-id/", "conversations/%00/", "runs/1/", "templates/%00/"):
        for api in (as_alice, as_nobody):
            for method in ("GET", "POST", "PATCH", "DELETE"):
                assert api.request(method, path, None, {}).code == "not_found"


def test_methods_that_a_route_has_not(as_alice: Api, conversation: UUID) -> None:
    answer = as_alice.request("PUT", f"conversations/{conversation}/", {}, {})
    assert (answer.status, answer.code, answer.json["status"]) == (405, "invalid", 405)
    assert answer.headers["Allow"] == "GET, PATCH, DELETE, HEAD, OPTIONS"
    assert as_alice.request("BREW", "conversations/", None, {}).status == 405


def test_head_and_options(as_alice: Api, as_nobody: Api, conversation: UUID) -> None:
    path = f"conversations/{conversation}/"
    head = as_alice.request("HEAD", path, None, {})
    assert (head.status, head.json, head.headers["ETag"]) == (200, None, '"1"')
    options = as_alice.request("OPTIONS", path, None, {})
    assert (options.status, options.headers["Allow"]) == (200, "GET, PATCH, DELETE, HEAD, OPTIONS")
    assert as_nobody.request("OPTIONS", path, None, {}).status == 401


def test_what_can_be_accepted(as_alice: Api) -> None:
    assert as_alice.get("me/", Accept="*/*").status == 200
    assert as_alice.get("me/", Accept="application/json;q=0.5, text/html").status == 200
    assert (as_alice.get("me/", Accept="text/html").status, as_alice.get("me/", Accept="x/y").code) == (
        406,
        "unsupported",
    )


# --- Who is asking ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 9000, "é", "ck_nothing", "eyJhbGciOiJub25lIn0.e30."])
def test_tokens_that_are_none(token: str) -> None:
    answer = Api(None).get("me/", Authorization=f"Bearer {token}")
    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_cookie_needs_its_csrf_token(alice: User, conversation: UUID) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.get("/api/v1/me/").status_code == 200

    refused = browser.post("/api/v1/conversations/", {"title": "x"}, content_type="application/json")
    openapi.check("POST", "", refused.status_code, refused.headers["Content-Type"], refused.json())
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

    browser.cookies["csrftoken"] = "x" * 32
    allowed = browser.post(
        "/api/v1/conversations/", {"title": "x"}, content_type="application/json", headers={"X-CSRFToken": "x" * 32}
    )
    assert allowed.status_code == 201


def test_a_bearer_beats_a_cookie(alice: User) -> None:
    browser = Client()
    browser.force_login(alice)
    assert browser.get("/api/v1/me/", headers={"Authorization": "Bearer x"}).status_code == 401


# --- Request ids ------------------------------------------------------------------------------------------


def test_a_request_id_comes_back(as_alice: Api) -> None:
    assert as_alice.get("me/", X_Request_ID="proxy-id-0001").headers["X-Request-ID"] == "proxy-id-0001"
    for odd in ("short", "x" * 65, "a b c d e f", "évil-request-id", "a\tb-0000000"):
        assert as_alice.get("me/", X_Request_ID=odd).headers["X-Request-ID"] != odd
    problem = as_alice.get("nothing/", X_Request_ID="proxy-id-0002")
    assert problem.json["request_id"] == problem.headers["X-Request-ID"] == "proxy-id-0002"


@pytest.mark.parametrize("host", ["evil.example", "a_b", "x:y", ""])
def test_a_foreign_host_name(host: str) -> None:
    answer = Client(raise_request_exception=False).get("/api/v1/me/", headers={"Host": host})
    assert answer.status_code == 400
    assert answer["X-Request-ID"]
    openapi.check("GET", "", 400, answer["Content-Type"], answer.json())


# --- Anything at all --------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\u2028", "guide", "owner", "viewer", "open", "x" * 300, "-1", str(UUID(int=0))])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def routes_with_bodies() -> Iterator[tuple[str, str]]:
    for path, operations in openapi.document()["paths"].items():
        for method, operation in operations.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                yield method.upper(), path


def fields(method: str, path: str) -> list[str]:
    schema = openapi.document()["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    return list(openapi.document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"])


@hypothesis(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_body_breaks_a_route(as_alice: Api, bob: User, conversation: UUID, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(sorted(routes_with_bodies())))
    body = data.draw(values | st.dictionaries(st.sampled_from(fields(method, path)), values, max_size=6))
    place = path.format(
        id=conversation, user=bob.id, message=uuid4(), key="nowhere", name="nowhere", seq=1
    ).removeprefix("/api/v1/")

    assert as_alice.request(method, place, body, {}).status < 500


@hypothesis(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["", "{}/messages/", "{}/events/", "{}/members/"]),
    name=st.sampled_from(
        ["limit", "cursor", "status", "tag", "assistant", "updated_since", "before_seq", "after_seq", "since", "epoch"]
    ),
    value=st.text(max_size=12) | st.integers().map(str) | st.datetimes().map(str),
)
def test_no_query_breaks_a_route(as_alice: Api, conversation: UUID, path: str, name: str, value: str) -> None:
    query = Client().get("/livez", {name: value.encode("utf-8", "replace")}).request["QUERY_STRING"]
    assert as_alice.get(f"conversations/{path.format(conversation)}?{query}").status < 500


# --- The document -----------------------------------------------------------------------------------------


def test_the_schema_is_openapi_3_1() -> None:
    answer = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    document: dict[str, Any] = json.loads(answer.content)
    assert document["openapi"].startswith("3.1")
    assert set(document) >= {"info", "paths", "components"}
    names: set[str] = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["operationId"] not in names
            names.add(operation["operationId"])
            assert operation.get("description"), f"{path} says nothing"
            assert "default" in operation["responses"]
    for reference in set(_references(document)):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference


def _references(value: Any) -> Iterator[str]:
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(item)
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]


def test_the_schema_is_made_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    openapi.document.cache_clear()
    openapi.document()
    assert capsys.readouterr().err == ""


def test_the_docs_page_needs_no_other_host() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "http://" not in page
    assert "https://" not in page.replace("https://www.w3.org", "")


def test_the_real_server_side_takes_no_more_than_allowed() -> None:
    """Through ASGI, as a server calls it: a body that never ends is not swallowed whole."""
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE <= 2 * 1024 * 1024
    assert asyncio.run(_pour(64)) <= 3
    assert asyncio.run(_pour(64, (b"content-length", str(2**40).encode()))) == 0


async def _pour(chunks: int, *headers: tuple[bytes, bytes]) -> int:
    """Offer `chunks` MiB to the application; how many it took before it answered."""
    taken = 0
    statuses: list[int | None] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 1024 * 1024, "more_body": taken < chunks}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/auth/token/", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    await BodyLimit(EncryptedBodies())(scope, receive, send)
    assert statuses[0] == 413
    return taken


@pytest.mark.parametrize("limit", ["garbage", "0", "-1", "201", "1.5", "", "9" * 30])
def test_a_limit_that_is_none_is_refused_by_every_list(as_alice: Api, conversation: UUID, limit: str) -> None:
    inside = (f"conversations/{conversation}/{part}/" for part in ("messages", "members", "snapshots", "events"))
    for path in ("conversations/", "templates/", "exports/", "sessions/", *inside):
        answer = as_alice.get(f"{path}?limit={limit}")
        assert (answer.status, answer.code) == (400, "invalid"), path
        assert "limit" in answer.json["errors"], path


def test_an_export_of_nothing_is_refused(as_alice: Api) -> None:
    answer = as_alice.post("exports/", {"conversations": []})
    assert (answer.status, answer.code) == (400, "invalid")
    assert as_alice.get("exports/").json["results"] == []
