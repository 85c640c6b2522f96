"""Page rendering: a page that is the same for everybody is rendered once, then each request's tokens are filled in."""

import re
import secrets
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from clave.web import idempotency
from clave.web.captcha import tickets

# Placeholders for a page's three tokens, so that a blank form is rendered only once. They are random per process, so
# that no user input can contain them.
_NONCE = secrets.token_hex(8)
CSRF, SUBMISSION, TICKET = f"csrf{_NONCE}", f"submission{_NONCE}", tickets.PLACEHOLDER


def filled(request: HttpRequest, html: str) -> str:
    """Replace the placeholders in a rendered page with this request's tokens."""
    if CSRF in html:
        html = html.replace(CSRF, get_token(request))
    if SUBMISSION in html:
        html = html.replace(SUBMISSION, idempotency.new_key())
    return html.replace(TICKET, tickets.ticket(request)) if TICKET in html else html


def show(
    request: HttpRequest, template: str, context: Mapping[str, object] | None = None, status: int = 200
) -> HttpResponse:
    """Render a page with its tokens."""
    html = render_to_string(template, {"csrf": CSRF, "submission": SUBMISSION, **(context or {})}, request)
    return page_of(filled(request, html), status)


def page_of(html: str, status: int = 200) -> HttpResponse:
    """Return a response with this page. `charset` saves Django from parsing it out of its own header."""
    return HttpResponse(html, status=status, content_type="text/html; charset=utf-8", charset="utf-8")


class SeeOther(HttpResponseRedirect):
    """A redirect that the browser follows with GET (RFC 9110, section 15.4.4)."""

    status_code = 303


_rendered: dict[Hashable, str] = {}


def rendered_once(request: HttpRequest, render: Callable[[], str], key: Hashable = None) -> str:
    """Return a page that is the same for everybody, tokens not filled in; rendered on first use and cached.

    `key` identifies a page that has no path of its own.
    """
    cache_key = (key or request.path, get_language(), settings.CLAVE_CAPTCHA, *settings.ANSWERS.values())
    if cache_key not in _rendered:
        _rendered[cache_key] = render()
    return _rendered[cache_key]


def stand_ins(values: Mapping[str, str]) -> dict[str, str]:
    """Return placeholders for `values` in a page that is rendered once; no user input can contain them."""
    return {name: f"{_NONCE}-{name}-" for name in values}


def put_in(html: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders with the escaped values."""
    parts = list(_split(html))
    parts[1::2] = [conditional_escape(values[name]) for name in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=256)
def _split(html: str) -> tuple[str, ...]:
    """Split a page at its placeholders: text and placeholder names alternate."""
    return tuple(re.split(rf"{_NONCE}-(\w+?)-", html))
