"""Entry point of the API, which is loaded with the first request."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from clave.web import late_api


@csrf_exempt
def api_v1(request: HttpRequest, rest: str) -> HttpResponse:
    """Handle an API request. It is authenticated by bearer token instead of cookies, so CSRF does not apply."""
    return late_api.answer(request, "clave.otec_portal.api.urls")
