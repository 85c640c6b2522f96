"""APIs whose code is loaded with their first request, because most workers never need them (decision 0012)."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, set_urlconf


def answer(request: HttpRequest, urlconf: str) -> HttpResponse:
    """Handle a request to the API whose addresses are in this module."""
    try:
        match = resolve(request.path, urlconf)
    except Resolver404:
        return _problem(404, "no such address")
    try:
        if request.body and request.content_type != "application/json":
            return _problem(415, "send application/json")
    except RequestDataTooBig:
        return _problem(413, "the body is too big")
    set_urlconf(urlconf)
    try:
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response
    finally:
        set_urlconf(None)


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
