"""Middleware: request validation, security headers, browser cookie and language."""

import ipaddress
import re
import secrets
from collections.abc import Callable
from functools import cache
from http.client import responses
from wsgiref.types import WSGIEnvironment

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
    # Not no-referrer: forms would be posted with "Origin: null", which no CSRF check can accept.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
}
API = "/api/"
# Endpoints that programs call validate what is posted themselves and answer in JSON.
PROGRAMS = (API, "/sso/token", "/sso/userinfo", "/sso/introspect", "/sso/revoke", "/sso/par", "/openid/")
# Load balancers, kubelets and Prometheus request these by IP address instead of host name.
PROBES = ("/healthz", "/readyz", "/metrics")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class Shield:
    """Middleware that refuses malformed requests early and adds the security headers to every response.

    Pages are never cached: the back button must not show another person's data.
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
            del response.headers["X-Frame-Options"]  # emptied by a page whose CSP says who may frame it
        keep_browser(request, response)
        return response


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Return the error response for a malformed request, or None if it is well-formed. Runs before any view."""
    from clave.web.errors import error_page

    status = refused_status(request)
    if status is None:
        return None
    if request.path.startswith(PROGRAMS):
        return JsonResponse({"detail": responses[status]}, status=status)
    return error_page(request, status)


def refused_status(request: HttpRequest) -> int | None:
    """Return the HTTP status for a malformed request, None if well-formed. `PROGRAMS` validate bodies themselves."""
    if not _is_host_allowed(request):
        return 400
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
    if length > settings.CLAVE_MAX_BODY and length > body_limit(request.path, has_session):
        return 413
    if _CONTROLS.search(request.path) or len(request.META.get("QUERY_STRING", "")) > 4096:
        return 400
    if request.method != "POST" or request.path.startswith(PROGRAMS):
        return None
    if request.content_type not in _FORM_TYPES:
        return 400
    try:
        well_formed = _is_well_formed(request)
    except Exception:  # Django raises various errors for an unparsable body: too big, too many fields, bad multipart
        return 400
    misplaced = bool(request.FILES) and not upload_limit(request.path)
    return 400 if misplaced or not well_formed else None


def _is_host_allowed(request: HttpRequest) -> bool:
    """Return whether `Host` names this site. Django itself only checks when a view asks for it.

    Probes may also use an IP address, which is safe from DNS rebinding.
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
    """Return the maximum size in bytes of an upload to this path; 0 if it takes no files."""
    return next((limit for pattern, limit in settings.CLAVE_UPLOADS.items() if re.fullmatch(pattern, path)), 0)


def body_limit(path: str, has_session: bool) -> int:
    """Return the maximum size in bytes of a body at this path.

    Large files require a session: they are read before any view can check who sends them.
    """
    return max(upload_limit(path) if has_session else 0, settings.CLAVE_MAX_BODY)


def _is_well_formed(request: HttpRequest) -> bool:
    """Return whether a form has each name only once, no NUL and only valid UTF-8.

    Django decodes percent-encoded bytes that are not UTF-8 to the replacement character, but raw ones as Latin-1.
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


def address_in(environ: WSGIEnvironment) -> str:
    """Return the client's address; X-Forwarded-For is trusted only behind `CLAVE_TRUSTED_PROXIES` proxies."""
    hops = settings.CLAVE_TRUSTED_PROXIES
    if hops:
        chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(chain) >= hops and chain[-hops]:
            return str(chain[-hops])[:45]
    return str(environ.get("REMOTE_ADDR") or "local")[:45]


def browser_id(request: HttpRequest) -> str:
    """Return this browser's random id. If it has none, generate one and set the cookie with the response."""
    known = getattr(request, "_browser", "")
    if known:
        return str(known)
    value, _, seal = request.COOKIES.get(BROWSER_COOKIE, "").partition(".")
    if not is_keyed_hash(seal, "browser-cookie", value, length=_BROWSER_SEAL_LENGTH):
        value = secrets.token_urlsafe(18)
    # True for a new id and for one sealed under a former secret key, which is sealed again under the current one.
    request._seals_browser = seal != _browser_seal(value)  # type: ignore[attr-defined]
    request._browser = value  # type: ignore[attr-defined]
    return value


def _browser_seal(value: str) -> str:
    """Return the MAC that authenticates a browser's id."""
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
    """Return the origin of this request, for rate limits and the audit log."""
    known: RequestContext | None = getattr(request, "_context", None)
    if known is None:
        known = request._context = RequestContext(  # type: ignore[attr-defined]
            address=address_of(request),
            browser=fingerprint(browser_id(request))[:32],
            agent=request.META.get("HTTP_USER_AGENT", "")[:200],
            language=translation.get_language() or "es",
        )
    return known


class ChosenLanguage:
    """Middleware that activates the chosen language, by default Spanish.

    The browser's language settings are ignored: on a borrowed phone they are not the person's choice.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        translation.activate(chosen_language(request))
        return self.get_response(request)


def chosen_language(request: HttpRequest) -> str:
    """Return the code of the language to use."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in _languages() else str(settings.LANGUAGE_CODE)


@cache
def _languages() -> frozenset[str]:
    return frozenset(code for code, _ in settings.LANGUAGES)
