"""Pages for what went wrong: never a stack trace, always a way on."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from clave.core import clock
from clave.core.outcome import Refused

log = structlog.get_logger(__name__)


def error_page(request: HttpRequest, status: int, name: str = "") -> HttpResponse:
    """Answer with the page of this status, or of this name."""
    html = render_to_string(f"errors/{name or status}.html", {"code": f"HTTP-{status}"}, request)
    return HttpResponse(html, status=status)


def refusal_page(request: HttpRequest, refused: Refused, context: dict[str, object] | None = None) -> HttpResponse:
    """Answer with the page of a refusal that ends a flow."""
    response = HttpResponse(
        render_to_string(
            f"refused/{refused.code}.html", {"refused": refused, "code": refused.code, **(context or {})}, request
        ),
        status=refused.status,
    )
    until = getattr(refused, "until", None)
    if until is not None:
        response.headers["Retry-After"] = str(max(1, int((until - clock.now()).total_seconds())))
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke: 503 when it is the store, which comes back, 500 otherwise."""
    import sys

    from django.db import DatabaseError, InterfaceError

    kind = sys.exc_info()[0]
    store = kind is not None and issubclass(kind, (DatabaseError, InterfaceError))
    return error_page(request, 503 if store else 500)
