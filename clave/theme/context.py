"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the help line and the languages. Nothing here asks the database."""
    return {
        "help_line": settings.CLAVE_HELP_LINE,
        "help_hours": settings.CLAVE_HELP_HOURS,
        "demo": settings.CLAVE_DEMO,
        "languages": settings.LANGUAGES,
        "here": request.path if request.method in ("GET", "HEAD") else "/",
        "captcha_off": settings.CLAVE_CAPTCHA == "off",
    }
