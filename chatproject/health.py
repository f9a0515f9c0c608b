"""`/livez`, `/readyz`, `/metrics`."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from redis import Redis, RedisError

from chatproject import sessionfigures
from chatproject.lib import metrics
from chatproject.lib.errors import Problem
from conversations.api.problems import plain_response
from realtime.drain import is_draining


def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """PostgreSQL is needed to serve; Redis away is degraded, not down. A process on its way out is not ready."""
    database, redis = _database_answers(), _redis_answers()
    status = "draining" if is_draining() else "unavailable" if not database else "ok" if redis else "degraded"
    body = {"status": status, "database": database, "redis": redis}
    return JsonResponse(body, status=200 if status in ("ok", "degraded") else 503)


def metrics_page(request: HttpRequest) -> HttpResponse:
    """What this machine's processes counted, and the figures of all sessions; for whoever has METRICS_TOKEN, where
    there is one."""
    token = f"Bearer {settings.METRICS_TOKEN}"
    if settings.METRICS_TOKEN and not constant_time_compare(request.headers.get("Authorization", ""), token):
        return plain_response(Problem("unauthenticated", "Send `Authorization: Bearer` with METRICS_TOKEN."), request)
    sessionfigures.refresh()
    body, content_type = metrics.exposition()
    return HttpResponse(body, content_type=content_type)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
