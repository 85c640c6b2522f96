"""The logos of clients, for the consent page."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from clave.sso import client_logos
from clave.web.errors import error_page

_A_YEAR = 365 * 24 * 3600


def logo(request: HttpRequest, client_id: str, version: str) -> HttpResponseBase:
    """Return a client's logo, to be kept by browsers: its address names its version."""
    png = client_logos.find(client_id, version)
    if png is None:
        return error_page(request, 404)
    caching = {"Cache-Control": f"public, max-age={_A_YEAR}, immutable"}
    return HttpResponse(png, content_type="image/png", headers=caching)
