"""How an authorization request's answer goes back to the client: by address, or as a form that the browser posts."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from clave.sso.authorization_request import AuthorizationRequest
from clave.sso.oauth_errors import OAuthError
from clave.web import destination
from clave.web.middleware import POLICY
from clave.web.rendering import show


class ClientRedirect(HttpResponseRedirect):
    """A redirect to a client's registered address, whose scheme may be an application's own (RFC 8252, section 7.1)."""

    status_code = 303

    def __init__(self, url: str) -> None:
        self.allowed_schemes = [urlsplit(url).scheme]
        super().__init__(url)


def with_code(request: HttpRequest, asked: AuthorizationRequest, code: str, *, came_by_form: bool) -> HttpResponse:
    """Return the browser to the client with a code."""
    return _answer(request, asked, {"code": code}, came_by_form=came_by_form)


def with_error(
    request: HttpRequest, asked: AuthorizationRequest, error: OAuthError, *, came_by_form: bool
) -> HttpResponse:
    """Return the browser to the client with an error (RFC 6749, section 4.1.2.1)."""
    fields = {"error": error.error, "error_description": error.description}
    return _answer(request, asked, fields, came_by_form=came_by_form)


def _answer(
    request: HttpRequest, asked: AuthorizationRequest, fields: dict[str, str], *, came_by_form: bool
) -> HttpResponse:
    """Send an answer with `state` and, against mix-up, `iss` (RFC 9207).

    When one of our forms led here, a page of ours goes between: browsers apply that form's `form-action` to the whole
    chain of redirects, and it cannot name where a client, a broker say, sends the browser on to.
    """
    if asked["state"].isprintable() and asked["state"]:
        fields["state"] = asked["state"]
    fields["iss"] = asked.issuer.url
    response = _response(request, asked, fields, came_by_form=came_by_form)
    destination.forget(request, response)
    return response


def _response(
    request: HttpRequest, asked: AuthorizationRequest, fields: dict[str, str], *, came_by_form: bool
) -> HttpResponse:
    if asked.response_mode == "form_post" and asked["redirect_uri"].startswith(("https://", "http://")):
        return _form_post(request, asked, fields)
    url = _address(asked, fields)
    return (
        show(request, "sso/returning.html", {"client": asked.client, "url": url})
        if came_by_form
        else ClientRedirect(url)
    )


def _address(asked: AuthorizationRequest, fields: dict[str, str]) -> str:
    base, query = asked["redirect_uri"], urlencode(fields)
    if asked.response_mode == "fragment":
        return f"{base}#{query}"
    return f"{base}{'&' if '?' in base else '?'}{query}"


def _form_post(request: HttpRequest, asked: AuthorizationRequest, fields: dict[str, str]) -> HttpResponse:
    """Return a page whose form the browser posts to the client (OAuth 2.0 Form Post Response Mode).

    Its policy names no host: browsers apply `form-action` to the redirects that follow too (CSP 3, section 6.4.2), and
    the client may send the person on to any other of its own.
    """
    context = {"client": asked.client, "url": asked["redirect_uri"], "fields": fields.items()}
    page = show(request, "sso/form_post.html", context)
    page.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", "form-action https: http:")
    page.headers["Referrer-Policy"] = "strict-origin"
    return page
