"""Requests of every shape that the OpenAPI document allows, and of many that it does not, as somebody who may.

Whatever comes, there is no 500, and the answer is one that the document promises (`Api` looks at each).
"""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from accounts.services import tokens
from tests import openapi
from tests.api import BASE, Answer, Api
from tests.architecture.cast import Cast
from tests.architecture.policies import API

SCHEMA = schemathesis.openapi.from_dict(openapi.document())
FOUND = [found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)]
OPERATIONS: dict[str, APIOperation] = {operation.label: operation for operation in FOUND}
# How a path of the document is called in the URL configuration.
ROUTES = {re.sub(r"<\w+:(\w+)>", r"{\1}", route): route for route in API}
# What the transport adds that no client is to choose here: who asks is always the owner.
OURS = ("host", "authorization", "cookie", "content-length")
FEW = 4
MANY = 150


def cast() -> Cast:
    made = Cast()
    made.owner.is_staff = True
    made.owner.save(update_fields=["is_staff"])
    return made


@pytest.fixture(scope="module")
def looked_at() -> Cast:
    """Whose every thing is there; for requests that change nothing."""
    made = cast()
    made.make_all()
    return made


@pytest.fixture
def asking(settings: Settings, looked_at: Cast) -> Callable[..., None]:
    """Asks as the owner of everything that is asked about, as often as it likes; `?wait=` does not wait for long."""
    settings.WAIT_MAX_SECONDS, settings.LIMITS_APPLY = 1, False
    return lambda label, examples: ask(OPERATIONS[label], looked_at if label.startswith("GET ") else cast(), examples)


def ask(operation: APIOperation, about: Cast, examples: int) -> None:
    api = Api(tokens.issue(about.owner)["access"])
    there = parameters(operation.path, about)

    @hypothesis_settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of([cases(operation, mode, there) for mode in GenerationMode]))
    def each(case: Case) -> None:
        answer = send(api, case)
        # This route's answer is the assistant's, and no worker is here: it says where the answer will be.
        late = operation.path == "/v1/chat" and answer.code == "unavailable" and "run" in answer.json
        assert answer.status < 500 or late, f"{answer.status} for {case.as_curl_command()}"

    each()


def cases(operation: APIOperation, mode: GenerationMode, there: dict[str, Any]) -> st.SearchStrategy[Case]:
    """Mostly about what is there: hardly anything would be done for ids drawn at random."""
    about_them = operation.as_strategy(generation_mode=mode, path_parameters=there)
    return st.one_of(about_them, about_them, operation.as_strategy(generation_mode=mode)) if there else about_them


def parameters(path: str, about: Cast) -> dict[str, Any]:
    """The ids of what is there, for a path of the document."""
    if "{" not in path:
        return {}
    template = path.removeprefix(BASE)
    real = about.path(ROUTES[template])
    pairs = zip(template.split("/"), real.split("/"), strict=True)
    return {name.strip("{}"): value for name, value in pairs if name.startswith("{")}


def send(api: Api, case: Case) -> Answer:
    """The request as it would be on the wire."""
    parts = case.as_transport_kwargs(base_url="http://testserver")
    wire = requests.Request(**{name: parts[name] for name in WIRE if name in parts}).prepare()
    address = urlsplit(wire.url or "")
    assert wire.method
    path = str(address.path).removeprefix(BASE) + (f"?{address.query}" if address.query else "")
    body = wire.body.encode() if isinstance(wire.body, str) else wire.body or b""
    assert isinstance(body, bytes)
    headers = {name: str(value) for name, value in wire.headers.items() if name.lower() not in OURS}
    return api.request(wire.method, path, body, headers)


WIRE = ("method", "url", "params", "data", "json", "files", "headers")


def test_every_operation_can_be_asked() -> None:
    """The document holds nothing that Schemathesis cannot make requests from."""
    assert len(OPERATIONS) == sum(len(path) for path in openapi.document()["paths"].values())


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_a_few_requests_to_every_operation(asking: Callable[..., None], label: str) -> None:
    asking(label, FEW)


@pytest.mark.faults
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_many_requests_to_every_operation(asking: Callable[..., None], label: str) -> None:
    asking(label, MANY)
