"""The OpenAPI document of the product, and whether answers keep what it promises."""

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

PROBLEM = {"$ref": "#/components/schemas/Problem"}


@cache
def document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)


def check(method: str, route: str, status: int, content_type: str, body: Any) -> None:
    """Assert that the answer of a route is one that the document knows. `route` is Django's."""
    if status >= 400:
        assert content_type == "application/problem+json"
        assert body["status"] == status
        return validate(body, PROBLEM)
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    responses = document()["paths"][path][method.lower()]["responses"]
    assert str(status) in responses, f"{method} {path} answers {status}, which is not documented"
    content = responses[str(status)].get("content")
    if content is None:
        assert body is None, f"{method} {path} answers with a body that is not documented"
        return None
    if content_type == "application/json" and "application/json" in content:
        return validate(body, content["application/json"]["schema"])
    assert "application/octet-stream" in content, f"{method} {path} answers with {content_type}, not documented"
    return None


def validate(value: Any, schema: dict[str, Any]) -> None:
    Draft202012Validator({**schema, "components": _closed()}, format_checker=FormatChecker()).validate(value)


@cache
def _closed() -> dict[str, Any]:
    """The components; objects that name their fields have no others, so that every field is documented."""
    schemas = {
        name: {**schema, "additionalProperties": False} if "properties" in schema and name != "Problem" else schema
        for name, schema in document()["components"]["schemas"].items()
    }
    return {"schemas": schemas}
