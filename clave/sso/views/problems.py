"""The page about a problem that only the person can be told: it is not known whose address the other one is."""

from django.http import HttpRequest, HttpResponse

from clave.sso.authorization_request import AuthorizationRequest
from clave.web.rendering import show

# The codes that people read out to the help desk (docs/integration.md), by the codes of the checks.
NUMBERS = {
    "unknown_client": "7-1",
    "client_suspended": "7-2",
    "wrong_issuer": "7-3",
    "unknown_request": "7-4",
    "redirect_uri": "7-5",
    "logout_hint": "7-6",
    "logout_too_long": "7-7",
}


def problem_page(
    request: HttpRequest, asked: AuthorizationRequest | None, code: str, *, leaving: bool = False
) -> HttpResponse:
    """Show a problem with a request to sign in, or to sign out if `leaving`."""
    context = {
        "problem": code,
        "code": NUMBERS[code],
        "client": asked.client if asked else None,
        "leaving": leaving,
    }
    return show(request, "sso/problem.html", context, status=400)
