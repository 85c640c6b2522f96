"""Requests to this very site over HTTP, answered within the process: for what acts as another system would."""

from functools import cache
from typing import Any, cast

import httpx
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.utils import translation


def http_client() -> httpx.Client:
    """Return a client whose requests this site answers, without redirects being followed."""
    return httpx.Client(transport=httpx.WSGITransport(app=_answered), base_url=settings.CLAVE_URL)


def _answered(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer as the site does. The request that is being answered keeps its language and its store connection."""
    with translation.override(translation.get_language()):
        response = cast(HttpResponse, _handler().get_response(WSGIRequest(environ)))
    start_response(f"{response.status_code} {response.reason_phrase}", list(_headers(response)))
    return [response.content]


def _headers(response: HttpResponse) -> list[tuple[str, str]]:
    cookies = [("Set-Cookie", cookie.output(header="").strip()) for cookie in response.cookies.values()]
    return [*response.items(), *cookies]


@cache
def _handler() -> WSGIHandler:
    return WSGIHandler()
