"""Pages without a form: home, legacy URLs, help, language choice."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme

from clave.web.errors import error_page
from clave.web.rendering import page_of, rendered_once, show


def plain(template: str) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that shows a template, the same for everybody."""

    def view(request: HttpRequest) -> HttpResponse:
        if request.GET or request.method not in ("GET", "HEAD"):
            return show(request, template)
        return page_of(rendered_once(request, lambda: render_to_string(template, request=request)))

    return view


def choose_language(request: HttpRequest, code: str) -> HttpResponse:
    """Store the language in a cookie and return to the previous page."""
    if code not in dict(settings.LANGUAGES):
        return error_page(request, 404)
    back = request.GET.get("volver", "/")
    if not (back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)):
        back = "/"
    response = HttpResponseRedirect(back)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=True,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    translation.activate(code)
    return response
