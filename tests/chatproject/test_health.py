"""/livez, /readyz, /metrics."""

import pytest
from django.test import Client
from pytest_django import Settings


def test_alive() -> None:
    answer = Client().get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer["X-Request-ID"]


def test_ready() -> None:
    assert Client().get("/readyz").json() == {"status": "ok", "database": True, "redis": True}


def test_without_redis_it_is_degraded(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


@pytest.mark.parametrize("name", ["ws_connections", "sync_latency_seconds", "requests_total", "errors_total"])
def test_metrics(name: str) -> None:
    Client().get("/livez")
    Client().get("/api/v1/me/")
    page = Client().get("/metrics")
    assert page["Content-Type"].startswith("text/plain")
    assert name in page.content.decode()
