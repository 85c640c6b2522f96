"""The door for programs. What stands behind it is loaded when the first one knocks: most workers never need it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import resolve, set_urlconf
from django.views.decorators.csrf import csrf_exempt

_URLS = "clave.attendance.api_urls"


@csrf_exempt
def api_v1(request: HttpRequest, rest: str) -> Any:
    """Answer a call of the API. It carries its own proof, so there is no form whose origin could be checked."""
    set_urlconf(_URLS)
    try:
        match = resolve(request.path, _URLS)
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return answer
    finally:
        set_urlconf(None)
