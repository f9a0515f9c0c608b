"""A real HTTP plugin on loopback, by Flask, described by its OpenAPI document. The question says how it answers:

`slow 20 50` streams twenty words, `refuse 503` an error, `busy 1 2` 429 once with a Retry-After of 2, `hang` nothing.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Plugin", "version": "1"},
    "paths": {
        "/v1/chat": {
            "post": {
                "operationId": "chat",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Chat"}}}},
                "responses": {"200": {"description": "An answer"}},
            }
        },
        "/v1/stream": {
            "post": {
                "operationId": "stream",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Chat"}}}},
                "responses": {"200": {"description": "Events"}},
            }
        },
        "/v1/search/{lang}": {
            "get": {
                "operationId": "search",
                "parameters": [
                    {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
                    {"name": "lang", "in": "path", "required": True, "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "Text"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Chat": {
                "type": "object",
                "required": ["message"],
                "properties": {
                    "message": {"type": "string"},
                    "history": {"type": "array", "items": {"type": "object"}},
                    "session_id": {"type": "string"},
                    "mode": {"type": "string"},
                },
            }
        }
    },
}


class Plugin:
    """`allowed` says whether the headers and query of a request are those of somebody; `asked` are their bodies."""

    def __init__(self, allowed: Callable[[Any, Any], bool] = lambda headers, query: True) -> None:
        self.allowed = allowed
        self.asked: list[dict[str, Any]] = []
        self.closed = threading.Event()
        self.times: Counter[str] = Counter()
        self._server = make_server("127.0.0.1", 0, _application(self), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.document = f"{self.url}/openapi.json"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()


def _application(plugin: Plugin) -> Flask:
    app = Flask(__name__)

    @app.before_request
    def known() -> Any:
        if request.path != "/openapi.json" and not plugin.allowed(request.headers, request.args):
            return jsonify(error="who are you?"), 401
        return None

    @app.get("/openapi.json")
    def document() -> Any:
        return jsonify(DOCUMENT)

    @app.post("/v1/chat")
    def chat() -> Any:
        body = request.get_json()
        plugin.asked.append(body)
        return _refusal(plugin, body["message"]) or jsonify(response=f"You said: {body['message']}")

    @app.post("/v1/stream")
    def stream() -> Any:
        body = request.get_json()
        plugin.asked.append(body)
        return Response(_events(plugin, body["message"]), mimetype="text/event-stream")

    @app.get("/v1/search/<lang>")
    def search(lang: str) -> Any:
        return Response(f"{lang}: {request.args['q']}", mimetype="text/plain")

    return app


def _refusal(plugin: Plugin, text: str) -> Any:
    name, *arguments = text.split() or [""]
    plugin.times[text] += 1
    if name == "refuse":
        return jsonify(error="secret-of-the-plugin"), int(arguments[0])
    if name == "busy" and plugin.times[text] <= int(arguments[0]):
        return Response(status=429, headers={"Retry-After": arguments[1]})
    if name == "hang":
        time.sleep(30)
    return None


def _events(plugin: Plugin, text: str) -> Iterator[str]:
    name, *arguments = text.split() or [""]
    count, pause = (int(arguments[0]), int(arguments[1])) if name == "slow" else (3, 0)
    try:
        for number in range(count):
            yield f"data: {json.dumps({'delta': f'word{number} '})}\n\n"
            time.sleep(pause / 1000)
        if name == "break":
            yield 'event: error\ndata: {"error": "secret-of-the-plugin"}\n\n'
        yield "data: [DONE]\n\n"
    except GeneratorExit:
        plugin.closed.set()
        raise
