"""The language that an authorization request would like the pages to be in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from clave.web.context_processors import OFFERED


def speak(request: HttpRequest, ui_locales: str) -> str:
    """Use the first of these languages that there are pages in; return its code, empty if nothing is to change.

    Source: OpenID Connect Core 1.0, section 3.1.2.1 (`ui_locales`). What the person has chosen counts for more.
    """
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return ""
    known = dict(OFFERED)
    asked = (tag.partition("-")[0].lower() for tag in ui_locales.split())
    language = next((code for code in asked if code in known), "")
    if language:
        translation.activate(language)
    return language


def remember(response: HttpResponse, language: str) -> HttpResponse:
    """Keep the language for the pages that follow, until the browser is closed."""
    if language:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            httponly=True,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite="Lax",
        )
    return response
