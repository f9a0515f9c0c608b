"""The operation of an OpenAPI 3 document that answers questions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from conversations.assistants.base import AssistantError

Json = dict[str, Any]
METHODS = ("post", "get", "put", "patch")


@dataclass(frozen=True)
class Operation:
    """`body` is the schema of its JSON body, None where it takes none; `parameters` are those of path, query and
    headers, each with `name`, `in`, `required` and `schema`."""

    method: str
    url: str
    body: Json | None
    parameters: list[Json] = field(default_factory=list)


def operation(document: Any, wanted: str, source: str, base_url: str = "") -> Operation:
    """The operation that is named (its operationId, or `POST /path`), or the only one that there is.

    `source` is where the document came from, to which its server may be relative. Raises AssistantError
    `connector_document`.
    """
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise wrong("This is not an OpenAPI 3 document.")
    found = [one for one in _operations(document) if wanted in ("", *_names(*one[:3]))]
    if len(found) > 1 and not wanted:
        found = [one for one in found if one[0] == "post"]
    if len(found) != 1:
        raise wrong("The connector must name one of the operations of the document.")
    method, path, described, shared = found[0]
    parameters = [resolved(document, one) for one in [*shared, *described.get("parameters", [])]]
    return Operation(method.upper(), _server(document, source, base_url) + path, _body(document, described), parameters)


def resolved(document: Json, value: Any, seen: Json | None = None) -> Any:
    """`value` with what its references inside the document point to, each looked up once: some documents come to
    millions of schemas when they are written out. Raises AssistantError."""
    seen = {} if seen is None else seen
    if isinstance(value, Mapping) and "$ref" in value:
        pointer = str(value["$ref"])
        if pointer not in seen:
            seen[pointer] = {}  # in a schema that holds itself, anything may stand there
            seen[pointer] = resolved(document, _pointed(document, pointer), seen)
        return seen[pointer]
    if isinstance(value, Mapping):
        return {name: resolved(document, inner, seen) for name, inner in value.items()}
    if isinstance(value, list):
        return [resolved(document, inner, seen) for inner in value]
    return value


def wrong(what: str) -> AssistantError:
    return AssistantError("connector_document", what)


def _names(method: str, path: str, described: Json) -> tuple[str, str]:
    return str(described.get("operationId")), f"{method.upper()} {path}"


def _operations(document: Json) -> Iterator[tuple[str, str, Json, list[Any]]]:
    """Method, path, description and shared parameters of every operation."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield method, path, item[method], item.get("parameters", [])


def _pointed(document: Json, pointer: str) -> Any:
    if not pointer.startswith("#/"):
        raise wrong("The document refers to another one.")
    found: Any = document
    for name in pointer[2:].split("/"):
        found = found.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    if found is None:
        raise wrong(f"The document refers to {pointer}, which is not there.")
    return found


def _server(document: Json, source: str, base_url: str) -> str:
    servers = document.get("servers") or [{"url": "/"}]
    return (base_url or urljoin(source, str(servers[0].get("url", "/")))).rstrip("/")


def _body(document: Json, described: Json) -> Json | None:
    content = resolved(document, described.get("requestBody", {})).get("content", {})
    for type_, media in content.items():
        if type_.partition(";")[0].strip() in ("application/json", "*/*"):
            return media.get("schema") or {}
    if content:
        raise wrong("The operation takes no JSON.")
    return None
