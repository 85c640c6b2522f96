"""Error pages: never a stack trace, always a way forward."""

import errno
import sys
from math import ceil

import psycopg
from django.db import InterfaceError, InternalError, OperationalError
from django.db.transaction import TransactionManagementError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from clave.lib import clock
from clave.lib.outcome import Refused

RETRY_SECONDS = 5
_UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    InternalError,
    TransactionManagementError,  # raised in a transaction whose connection broke
    psycopg.OperationalError,  # the connection pool's errors
    psycopg.InterfaceError,
    TimeoutError,
    ConnectionError,
)
_FULL_OR_BROKEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def error_page(request: HttpRequest, status: int, name: str = "") -> HttpResponse:
    """Return the error page for this status, or the one with this name."""
    html = render_to_string(f"errors/{name or status}.html", {"code": f"HTTP-{status}"}, request)
    return HttpResponse(html, status=status, headers={"Retry-After": str(RETRY_SECONDS)} if status == 503 else None)


def refusal_page(request: HttpRequest, refused: Refused, context: dict[str, object] | None = None) -> HttpResponse:
    """Return the page for a refusal that ends a flow."""
    response = HttpResponse(
        render_to_string(
            f"refused/{refused.code}.html", {"refused": refused, "code": refused.code, **(context or {})}, request
        ),
        status=refused.status,
    )
    until = getattr(refused, "until", None)
    if until is not None:
        response.headers["Retry-After"] = str(max(1, ceil((until - clock.now()).total_seconds())))
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle a malformed request. A session that could not be saved ends up here too: Django takes it for deleted."""
    return error_page(request, 503 if store_is_away(exception) else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle an unexpected error: 503 if a store is unavailable, which is temporary, otherwise 500."""
    return error_page(request, 503 if store_is_away(sys.exc_info()[1]) else 500)


def store_is_away(error: BaseException | None) -> bool:
    """Return whether an error or one of its causes means that a store is unavailable, so that a retry may succeed.

    Errors in the request itself (`DataError`, `IntegrityError`, invalid SQL) do not count: a retry would fail too.
    """
    while error is not None:
        if isinstance(error, _UNAVAILABLE) or (isinstance(error, OSError) and error.errno in _FULL_OR_BROKEN):
            return True
        if type(error).__module__ == "botocore.exceptions":  # not imported: only used with documents in a bucket
            return True
        error = error.__cause__ or error.__context__
    return False
