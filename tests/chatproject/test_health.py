"""/livez, /readyz, /metrics."""

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from chatproject import sessionfigures
from conversations.services import sessions


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


def test_figures_of_sessions(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions.begin_http(user=alice)
    monkeypatch.setattr(sessionfigures, "_next", 0.0)
    page = Client().get("/metrics").content.decode()
    found = {line.split()[0]: float(line.split()[1]) for line in page.splitlines() if line.startswith("sessions_")}
    assert min(found["sessions_open"], found["sessions_last_hour"], found["sessions_peak"]) >= 1
    assert found["sessions_mean_seconds"] >= 0
