"""Entry point of the API, which is loaded with the first request because most workers never need it."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, set_urlconf
from django.views.decorators.csrf import csrf_exempt

_URLS = "clave.otec_portal.api.urls"


@csrf_exempt
def api_v1(request: HttpRequest, rest: str) -> HttpResponse:
    """Handle an API request. It is authenticated by bearer token instead of cookies, so CSRF does not apply."""
    try:
        match = resolve(request.path, _URLS)
    except Resolver404:
        return _problem(404, "no such address")
    try:
        if request.body and request.content_type != "application/json":
            return _problem(415, "send application/json")
    except RequestDataTooBig:
        return _problem(413, "the body is too big")
    set_urlconf(_URLS)
    try:
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response
    finally:
        set_urlconf(None)


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
