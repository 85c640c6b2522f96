"""Pages for what went wrong: never a stack trace, always a way on."""

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
_AWAY = (
    OperationalError,
    InterfaceError,
    InternalError,
    TransactionManagementError,  # of a transaction whose connection broke
    psycopg.OperationalError,  # its pool's too
    psycopg.InterfaceError,
    TimeoutError,
    ConnectionError,
)
_FULL_OR_BROKEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def error_page(request: HttpRequest, status: int, name: str = "") -> HttpResponse:
    """Answer with the page of this status, or of this name."""
    html = render_to_string(f"errors/{name or status}.html", {"code": f"HTTP-{status}"}, request)
    return HttpResponse(html, status=status, headers={"Retry-After": str(RETRY_SECONDS)} if status == 503 else None)


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
        response.headers["Retry-After"] = str(max(1, ceil((until - clock.now()).total_seconds())))
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a malformed request. A session that could not be saved comes here too: Django takes it for a lost one."""
    return error_page(request, 503 if store_is_away(exception) else 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something broke: 503 if it is the store, which comes back, 500 otherwise."""
    return error_page(request, 503 if store_is_away(sys.exc_info()[1]) else 500)


def store_is_away(error: BaseException | None) -> bool:
    """Say whether an error, or one it hides, means that a store does not answer now: the same request may pass later.

    What a store refuses as wrong (`DataError`, `IntegrityError`, SQL it does not understand) will be wrong again.
    """
    while error is not None:
        if isinstance(error, _AWAY) or (isinstance(error, OSError) and error.errno in _FULL_OR_BROKEN):
            return True
        if type(error).__module__ == "botocore.exceptions":  # loaded only where documents lie in a bucket
            return True
        error = error.__cause__ or error.__context__
    return False
