"""What all endpoints that programs call have in common."""

import re
from collections.abc import Callable
from functools import wraps

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from clave.sso.oauth_errors import OAuthError

View = Callable[..., HttpResponse]
FORM = "application/x-www-form-urlencoded"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
# Applications of a single page call from the origin they came from; no cookie is asked for, so any origin may.
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Expose-Headers": "WWW-Authenticate",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def endpoint(*methods: str, form: bool = True) -> Callable[[View], View]:
    """Return a decorator for an endpoint with these methods that answers in JSON.

    It authenticates clients itself instead of by cookie, so CSRF does not apply. With `form`, what is posted must be a
    form in which every parameter comes once (RFC 6749, section 3.2).
    """

    def decorator(view: View) -> View:
        @csrf_exempt
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204, headers={"Access-Control-Allow-Methods": ", ".join(methods)})
            elif request.method not in methods:
                response = JsonResponse({"error": "invalid_request"}, status=405)
                response.headers["Allow"] = ", ".join(methods)
            elif form and request.method == "POST" and (problem := _form_problem(request)):
                response = problem.response()
            else:
                response = view(request, *args, **kwargs)
            for name, value in CROSS_ORIGIN.items():
                response.headers.setdefault(name, value)
            return response

        return wrapped

    return decorator


def _form_problem(request: HttpRequest) -> OAuthError | None:
    """Return what is wrong with a posted form; control characters have no place in any parameter."""
    if request.content_type != FORM:
        return OAuthError("invalid_request", f"send {FORM}")
    try:
        sent = list(request.POST.lists())
    except (BadRequest, SuspiciousOperation, ValueError):
        return OAuthError("invalid_request", "the body is too big or not readable")
    if any(len(values) > 1 for _name, values in sent):
        return OAuthError("invalid_request", "a parameter is there twice")
    if any("\ufffd" in text or _CONTROLS.search(text) for name, values in sent for text in (name, *values)):
        return OAuthError("invalid_request", "a parameter has characters that no parameter may have")
    return None
