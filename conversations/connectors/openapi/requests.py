"""What an operation is sent: a question and its context, in the places that its schema has for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from conversations.assistants.base import AssistantError
from conversations.connectors.openapi.document import Operation

Json = dict[str, Any]
# Names by which plugins ask for what we have, the likeliest first.
NAMES: dict[str, tuple[str, ...]] = {
    "question": ("question", "message", "query", "prompt", "text", "input", "content", "q"),
    "messages": ("messages", "history", "context", "chat_history"),
    "conversation": ("conversation", "conversation_id", "session", "session_id", "thread_id", "chat_id"),
    "stream": ("stream",),
}


@dataclass(frozen=True)
class Asked:
    """What we have for a plugin."""

    question: str
    messages: Sequence[Json]
    conversation: str

    def value(self, what: str, schema: Json) -> Any:
        """One of NAMES, in the form that a schema wants."""
        if what == "stream":
            return True
        if what == "messages" and schema.get("type") == "string":
            return "\n".join(f"{one['role']}: {one['content']}" for one in self.messages)
        if what == "question" and schema.get("type") == "array":
            return list(self.messages)
        return {"question": self.question, "messages": list(self.messages), "conversation": self.conversation}[what]


@dataclass(frozen=True)
class Request:
    """What is to be sent."""

    method: str
    url: str
    query: Json
    headers: dict[str, str]
    body: Json | None


def build(operation: Operation, asked: Asked, given: Mapping[str, str], fixed: Mapping[str, Any]) -> Request:
    """A request: `given` says for a property or parameter which of NAMES it gets, `fixed` what it is.

    Raises AssistantError `connector_document` where the question has no place, or something that must be there is not.
    """
    placed: dict[str, set[str]] = {"body": set()}
    body = None
    if operation.body is not None:
        body = _object(operation.body, asked, given, fixed, placed["body"])
    query, headers, url = _parameters(operation, asked, given, fixed, placed["body"])
    if "question" not in placed["body"] and "messages" not in placed["body"]:
        raise _wrong("The operation has no place for a question that we recognise; map one.")
    return Request(operation.method, url, query, headers, body)


def _object(schema: Json, asked: Asked, given: Mapping[str, str], fixed: Mapping[str, Any], placed: set[str]) -> Json:
    properties = schema.get("properties", {})
    body = {name: value for name, value in fixed.items() if name in properties or not properties}
    for name, inner in _ordered(properties):
        what = given.get(name) or _recognised(name, placed)
        if name not in body and what in NAMES:
            body[name] = asked.value(what, inner)
            placed.add(what)
    try:
        Draft202012Validator(schema, registry=Registry()).validate(body)
    except ValidationError as error:
        raise _wrong(f"The request does not fit its schema: {error.message[:200]}") from error
    return body


def _parameters(
    operation: Operation, asked: Asked, given: Mapping[str, str], fixed: Mapping[str, Any], placed: set[str]
) -> tuple[Json, dict[str, str], str]:
    query: Json = {}
    headers: dict[str, str] = {}
    url = operation.url
    for one in operation.parameters:
        name, value = one["name"], fixed.get(one["name"])
        what = given.get(name) or _recognised(name, placed)
        if value is None and what in NAMES and one.get("in") in ("query", "path"):
            value = asked.value(what, one.get("schema", {}))
            placed.add(what)
        if value is None:
            if one.get("required"):
                raise _wrong(f"The operation needs the parameter {name}; map or fix it.")
        elif one.get("in") == "path":
            url = url.replace(f"{{{name}}}", quote(str(value), safe=""))
        elif one.get("in") == "header":
            headers[name] = str(value)
        else:
            query[name] = value
    return query, headers, url


def _ordered(properties: Json) -> list[tuple[str, Json]]:
    """Properties by how likely they are what we take them for."""
    likely = [name for names in NAMES.values() for name in names]
    rank = {name: number for number, name in enumerate(likely)}
    return sorted(properties.items(), key=lambda item: rank.get(item[0], len(likely)))


def _recognised(name: str, placed: set[str]) -> str:
    """Which of NAMES a name stands for; each stands in one place."""
    for what, names in NAMES.items():
        if name.lower() in names and what not in placed:
            return what
    return ""


def _wrong(what: str) -> AssistantError:
    return AssistantError("connector_document", what)
