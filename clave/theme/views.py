"""Pages without a form: home, the old addresses, help, languages, health."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from clave.core import clock, lifecycle
from clave.core.errors import error_page
from clave.core.models import Heartbeat
from clave.core.pages import page_of, rendered_once, show

SILENT = timedelta(seconds=30)


def plain(template: str) -> Any:
    """Return a view that shows one template, the same to everybody."""

    def view(request: HttpRequest) -> HttpResponse:
        if request.GET or request.method not in ("GET", "HEAD"):
            return show(request, template)
        return page_of(rendered_once(request, lambda: render_to_string(template, request=request)))

    return view


def choose_language(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the language in a cookie and go back to where the person was."""
    if code not in dict(settings.LANGUAGES):
        return error_page(request, 404)
    back = request.GET.get("volver", "/")
    if not (back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=True,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    translation.activate(code)
    return response


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer as soon as requests are served."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when database, cache and worker work and no message is late; 503 with what does not.

    A process that is about to stop says 503 too, so that a balancer sends new visitors elsewhere.
    """
    if lifecycle.draining.is_set():
        return JsonResponse({"status": "stopping"}, status=503)
    checks = {"database": _database(), "cache": _cache(), "worker": False, "messages": False}
    if checks["database"]:
        from clave.courier.service import late_messages

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
    except Exception:  # each cache backend has errors of its own
        return False
