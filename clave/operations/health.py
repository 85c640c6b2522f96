"""Health checks for load balancers and monitoring."""

from datetime import timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from clave.lib import clock
from clave.notifications.outbox import late_messages
from clave.operations.models import Heartbeat
from clave.web import lifecycle

SILENT = timedelta(seconds=30)


def healthz(request: HttpRequest) -> HttpResponse:
    """Respond as soon as requests are served at all."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Return 200 if database, cache and worker work and no message is late, otherwise 503 listing what fails.

    A process about to stop returns 503 too, so that a load balancer sends new requests elsewhere.
    """
    if lifecycle.draining.is_set():
        return JsonResponse({"status": "stopping"}, status=503)
    checks = {"database": _database(), "cache": _cache(), "worker": False, "messages": False}
    if checks["database"]:
        beat = Heartbeat.objects.order_by("-at").first()
        checks["worker"] = bool(beat and beat.at > clock.now() - SILENT)
        checks["messages"] = late_messages() == 0
    ready = all(checks.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **checks}, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _cache() -> bool:
    try:
        cache.set("readyz", "1", 10)
        return bool(cache.get("readyz") == "1")
    except Exception:  # each cache backend raises its own errors
        return False
