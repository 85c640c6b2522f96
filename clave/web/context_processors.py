"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest

# Kreyòl has its catalogue set up but not translated: a page that says it is Kreyòl must be.
OFFERED = [(code, name) for code, name in settings.LANGUAGES if code != "ht"]


def site(request: HttpRequest) -> dict[str, object]:
    """Return the help line and the languages. Nothing here asks the database."""
    return {
        "help_line": settings.CLAVE_HELP_LINE,
        "help_hours": settings.CLAVE_HELP_HOURS,
        "demo": settings.CLAVE_DEMO,
        "languages": OFFERED,
        "here": request.path if request.method in ("GET", "HEAD") else "/",
        "captcha_off": settings.CLAVE_CAPTCHA == "off",
    }
