"""Rendering pages: the tokens of a form are filled into a page that is otherwise the same for everybody."""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.translation import get_language

from clave.web import idempotency
from clave.web.captcha import tickets

# Stand-ins for the three tokens of a page, so that a blank form is rendered once and then only filled in.
# Random in each process, so that nobody can type one.
_NONCE = secrets.token_hex(8)
CSRF, SUBMISSION, TICKET = f"csrf{_NONCE}", f"submission{_NONCE}", tickets.PLACEHOLDER


def filled(request: HttpRequest, html: str) -> str:
    """Put this request's tokens into a rendered page."""
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
    """Return an answer with this page. Told its charset, Django need not look for it in its own header."""
    return HttpResponse(html, status=status, content_type="text/html; charset=utf-8", charset="utf-8")


class SeeOther(HttpResponseRedirect):
    """Go on with a GET (RFC 9110, section 15.4.4)."""

    status_code = 303


_rendered: dict[Any, str] = {}


def rendered_once(request: HttpRequest, render: Callable[[], str], key: Any = None) -> str:
    """Return a page that is the same for everybody, still without its tokens; rendered at its first showing.

    `key` tells pages apart that have no path of their own.
    """
    whole = (key or request.path, get_language(), settings.CLAVE_CAPTCHA, *settings.ANSWERS.values())
    if whole not in _rendered:
        _rendered[whole] = render()
    return _rendered[whole]


def stand_ins(values: Mapping[str, str]) -> dict[str, str]:
    """Return what stands for `values` in a page that is rendered once: words nobody can type."""
    return {name: f"{_NONCE}-{name}-" for name in values}


def put_in(html: str, values: Mapping[str, str]) -> str:
    """Put values, escaped, where their stand-ins are."""
    parts = list(_cut(html))
    parts[1::2] = [conditional_escape(values[name]) for name in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=256)
def _cut(html: str) -> tuple[str, ...]:
    """Return a page's texts and, between them, the names of what stands there."""
    return tuple(re.split(rf"{_NONCE}-(\w+?)-", html))
