"""What happens to every request before a view sees it, and to every answer on its way out."""

import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from http.client import responses
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import split_domain_port
from django.utils import translation

from clave.lib.crypto import fingerprint, is_keyed_hash, keyed_hash
from clave.lib.request_context import RequestContext

GetResponse = Callable[[HttpRequest], HttpResponseBase]

BROWSER_COOKIE = "navegador"
_BROWSER_SEAL_LENGTH = 32
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: a form posted under it comes with "Origin: null", which no CSRF check can accept.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
API = "/api/"
# Asked by a machine's address, not by name: by load balancers, kubelets, Prometheus.
PROBES = ("/healthz", "/readyz", "/metrics")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class Shield:
    """Refuse malformed requests early; put the security headers on every answer.

    A page is never stored by a cache: the back button must not show another person's data.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.headers = dict(HEADERS)
        if settings.CLAVE_URL.startswith("https://"):
            self.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = refusal(request) or self.get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        if not response.headers["X-Frame-Options"]:
            del response.headers["X-Frame-Options"]  # a page that says in its policy who may frame it
        keep_browser(request, response)
        return response


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the answer that refuses this request, or None. A fault in it is found before any view runs."""
    from clave.web.errors import error_page

    status = refused_status(request)
    if status is None:
        return None
    if request.path.startswith(API):
        return JsonResponse({"detail": responses[status]}, status=status)
    return error_page(request, status)


def refused_status(request: HttpRequest) -> int | None:
    """Return the HTTP status of what is wrong with a request, None if nothing is. The API looks at its JSON itself."""
    if not _asks_for_us(request):
        return 400
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    known = settings.SESSION_COOKIE_NAME in request.COOKIES
    if length > settings.CLAVE_MAX_BODY and length > body_limit(request.path, known):
        return 413
    if _CONTROLS.search(request.path) or len(request.META.get("QUERY_STRING", "")) > 4096:
        return 400
    if request.method != "POST" or request.path.startswith(API):
        return None
    if request.content_type not in _FORM_TYPES:
        return 400
    try:
        well_formed = _is_well_formed(request)
    except Exception:  # Django raises several kinds for a body it cannot parse: too big, too many fields, bad multipart
        return 400
    misplaced = bool(request.FILES) and not upload_limit(request.path)
    return 400 if misplaced or not well_formed else None


def _asks_for_us(request: HttpRequest) -> bool:
    """Say whether `Host` names this site. Django itself only looks at it when a view asks.

    A probe may also name an address, which no name server of a stranger's can point here (DNS rebinding).
    """
    try:
        return bool(request.get_host())
    except DisallowedHost:
        if request.path not in PROBES:
            return False
    host, _port = split_domain_port(request.META.get("HTTP_HOST", ""))
    try:
        return bool(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host == "localhost"


def upload_limit(path: str) -> int:
    """Return how many bytes a request that brings a file to this path may have; 0 if none may be brought there."""
    return next((most for pattern, most in settings.CLAVE_UPLOADS.items() if re.fullmatch(pattern, path)), 0)


def body_limit(path: str, known: bool) -> int:
    """Return how many bytes of a body are read at this path.

    Large files only from somebody who has a session: they are read before any view can ask who it is.
    """
    return max(upload_limit(path) if known else 0, settings.CLAVE_MAX_BODY)


def _is_well_formed(request: HttpRequest) -> bool:
    """Each name once, no NUL, valid UTF-8.

    Of what is none Django reads escaped bytes as the replacement character, but plain ones as Latin-1.
    """
    if request.content_type == _FORM_TYPES[0]:
        request.body.decode("utf-8")
    for name, values in request.POST.lists():
        text = name + values[0]
        if len(values) > 1 or "\0" in text or "\ufffd" in text:
            return False
    return True


def address_of(request: HttpRequest) -> str:
    """Return the client's address."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> str:
    """Return the client's address; X-Forwarded-For counts only behind `CLAVE_TRUSTED_PROXIES` proxies."""
    hops = settings.CLAVE_TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(chain) >= hops and chain[-hops]:
            return str(chain[-hops])[:45]
    return str(environ.get("REMOTE_ADDR") or "local")[:45]


def browser_id(request: HttpRequest) -> str:
    """Return this browser's random id, making one if it has none; the answer then carries the cookie."""
    known = getattr(request, "_browser", "")
    if known:
        return str(known)
    value, _, seal = request.COOKIES.get(BROWSER_COOKIE, "").partition(".")
    if not is_keyed_hash(seal, "browser-cookie", value, length=_BROWSER_SEAL_LENGTH):
        value = secrets.token_urlsafe(18)
    # Also when it was sealed under a former secret key: then the browser keeps its id under a new seal.
    request._seals_browser = seal != _browser_seal(value)  # type: ignore[attr-defined]
    request._browser = value  # type: ignore[attr-defined]
    return value


def _browser_seal(value: str) -> str:
    """Return what only this site can write beside a browser's id."""
    return keyed_hash("browser-cookie", value)[:_BROWSER_SEAL_LENGTH]


def keep_browser(request: HttpRequest, response: HttpResponseBase) -> None:
    if getattr(request, "_seals_browser", False):
        response.set_cookie(
            BROWSER_COOKIE,
            f"{browser_id(request)}.{_browser_seal(browser_id(request))}",
            max_age=400 * 24 * 3600,
            httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )


def context_of(request: HttpRequest) -> RequestContext:
    """Describe where this request comes from, for limits and the audit."""
    known: RequestContext | None = getattr(request, "_visit", None)
    if known is None:
        known = request._visit = RequestContext(  # type: ignore[attr-defined]
            address=address_of(request),
            browser=fingerprint(browser_id(request))[:32],
            agent=request.META.get("HTTP_USER_AGENT", "")[:200],
            language=translation.get_language() or "es",
        )
    return known


class ChosenLanguage:
    """Speak Spanish unless the person chose another language: a borrowed phone's settings are no choice."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        translation.activate(chosen_language(request))
        return self.get_response(request)


def chosen_language(request: HttpRequest) -> str:
    """Return the code of the language to speak."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in _languages() else str(settings.LANGUAGE_CODE)


@cache
def _languages() -> frozenset[str]:
    return frozenset(code for code, _ in settings.LANGUAGES)
