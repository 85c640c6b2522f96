"""Context available to every template."""

from django.conf import settings
from django.http import HttpRequest

# Kreyòl has a catalogue but no translations yet, so it is not offered.
OFFERED = [(code, name) for code, name in settings.LANGUAGES if code != "ht"]


def site(request: HttpRequest) -> dict[str, object]:
    """Return the help line, the languages and the like. Makes no database queries."""
    return {
        "help_line": settings.CLAVE_HELP_LINE,
        "help_hours": settings.CLAVE_HELP_HOURS,
        "demo": settings.CLAVE_DEMO,
        "languages": OFFERED,
        "here": request.path if request.method in ("GET", "HEAD") else "/",
        "captcha_off": settings.CLAVE_CAPTCHA == "off",
    }
