"""A model that makes vectors: OpenAI's embeddings endpoint over real HTTP on loopback.

It knows some words that mean the same (MEANINGS), so that a text is near to another without sharing a word:

    with Embeddings() as endpoint:        # EMBEDDING_BASE_URL=endpoint.url
        endpoint.status = 500             # and it fails
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MEANINGS = {"car": "vehicle", "automobile": "vehicle", "汽车": "vehicle", "refund": "money", "reimburse": "money"}


class Embeddings:
    """`asked` are the texts of each request; models whose name ends in `-<n>` give n dimensions, others 32."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.status = 200
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                endpoint.answer(self)

            def log_message(self, *_: object) -> None:
                """Not on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        self.asked.append(body["input"])
        size = re.search(r"-(\d+)$", body["model"])
        data = [
            {"object": "embedding", "index": place, "embedding": vector(text, int(size[1]) if size else 32)}
            for place, text in enumerate(body["input"])
        ]
        answer: dict[str, Any] = {"object": "list", "model": body["model"], "data": data}
        answer["usage"] = {"prompt_tokens": 1, "total_tokens": 1}
        self._send(request, answer if self.status == 200 else {"error": {"message": "scripted"}})

    def _send(self, request: BaseHTTPRequestHandler, answer: dict[str, Any]) -> None:
        sent = json.dumps(answer).encode()
        request.send_response(self.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(sent)),
            "x-should-retry": "false",
        }.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(sent)


def vector(text: str, size: int) -> list[float]:
    """How often each meaning is in a text, every meaning in a place of its own (but for chance)."""
    found = [0.01] * size
    for word in re.findall(r"[a-z]+|汽车", text.lower()):
        digest = hashlib.sha256(MEANINGS.get(word, word).encode()).digest()
        found[int.from_bytes(digest[:4], "big") % size] += 1.0
    return found
