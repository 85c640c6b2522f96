"""The door for programs. What stands behind it is loaded when the first one knocks: most workers never need it."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve, set_urlconf
from django.views.decorators.csrf import csrf_exempt

_URLS = "clave.otec_portal.api.urls"


@csrf_exempt
def api_v1(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer a call of the API. It carries its own proof, so there is no form whose origin could be checked."""
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
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return answer
    finally:
        set_urlconf(None)


def _problem(status: int, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=status)
