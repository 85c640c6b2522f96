"""«Probar OpenID»: a relying application that shows each step of a sign-in, as sent and as answered.

It talks to the endpoints as any application would, over HTTP, though without leaving this process. Nothing is stored:
what the next step needs goes through the page's form, what must belong to the browser through a signed cookie.
"""

import base64
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.translation import gettext as _
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from clave.lib.crypto import sha256_base64url
from clave.sandbox.openid_demo import CALLBACK, CLIENT_ID, SECRET, SIGNED_OUT
from clave.web.own_site import http_client
from clave.web.rendering import show

_COOKIE, _COOKIE_SECONDS = "probar_openid", 3600
_SCOPE = "openid profile run email offline_access"
_KEPT = ("access_token", "refresh_token", "id_token")
_SHOWN_HEADERS = ("content-type", "cache-control", "www-authenticate")


@dataclass(frozen=True)
class Exchange:
    """What was sent and what came back, in words, with tokens taken apart."""

    request: str
    response: str
    status: int
    tokens: list[tuple[str, str, str]]


def begin(request: HttpRequest) -> HttpResponse:
    """Step 1: the authorization request, with a new state, nonce and code verifier."""
    if split_domain_port(request.get_host())[0] != urlsplit(settings.CLAVE_URL).hostname:
        # The answer comes back to the address that is registered, where a cookie of this one would be missing.
        return HttpResponseRedirect(settings.CLAVE_URL + request.path)
    memory = {name: secrets.token_urlsafe(24) for name in ("state", "nonce")} | {"verifier": secrets.token_urlsafe(48)}
    parameters = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": settings.CLAVE_URL + CALLBACK,
        "scope": _SCOPE,
        "state": memory["state"],
        "nonce": memory["nonce"],
        "code_challenge": sha256_base64url(memory["verifier"]),
        "code_challenge_method": "S256",
    }
    url = f"{reverse('sso_authorize')}?{urlencode(parameters)}"
    context = {"parameters": [(name, value, _meaning(name)) for name, value in parameters.items()], "url": url}
    page = show(request, "sandbox/openid_begin.html", context)
    page.set_signed_cookie(
        _COOKIE,
        json.dumps(memory),
        salt=_COOKIE,
        max_age=_COOKIE_SECONDS,
        path=reverse("sandbox_openid"),
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return page


def _meaning(name: str) -> str:
    return {
        "response_type": _("Pide un código, que después se cambia por los tokens."),
        "client_id": _("Qué sistema pregunta."),
        "redirect_uri": _("A dónde vuelve la persona. Debe estar registrada, letra por letra."),
        "scope": _("Qué quiere saber."),
        "state": _("Al azar: la respuesta debe traer el mismo, o no se acepta."),
        "nonce": _("Al azar: debe venir dentro del ID token."),
        "code_challenge": _("La huella del secreto de este intento (PKCE)."),
        "code_challenge_method": _("Cómo se hizo la huella."),
    }[name]


def _memory(request: HttpRequest) -> dict[str, str]:
    """Return what step 1 remembered in this browser; empty if there is nothing."""
    value = request.get_signed_cookie(_COOKIE, default="", salt=_COOKIE, max_age=_COOKIE_SECONDS)
    return dict(json.loads(value)) if value else {}


def back(request: HttpRequest) -> HttpResponse:
    """Step 2: the answer in the address, and what an application checks before it believes it."""
    memory, answer = _memory(request), request.GET.dict()
    checks = [
        (_("El state es el que este navegador envió"), bool(memory) and answer.get("state") == memory["state"]),
        (_("La respuesta es de este emisor (iss)"), answer.get("iss") == settings.CLAVE_URL),
        (_("Trae un código y no un error"), "code" in answer and "error" not in answer),
    ]
    good = all(passed for _words, passed in checks)
    context = {"answer": answer.items(), "checks": checks, "code": answer.get("code", "") if good else ""}
    return show(request, "sandbox/openid_back.html", context)


def step(request: HttpRequest) -> HttpResponse:
    """One of the later steps, chosen by a button: tokens, userinfo, refresh, revocation."""
    form = request.POST.dict()
    kept = {name: form.get(name, "") for name in _KEPT}
    name = form.get("paso", "")
    memory = _memory(request)
    if name == "canjear" and memory:
        fields = {
            "grant_type": "authorization_code",
            "code": form.get("codigo", ""),
            "redirect_uri": settings.CLAVE_URL + CALLBACK,
            "code_verifier": memory["verifier"],
        }
        exchange, answer = _post("token", fields)
    elif name == "renovar":
        exchange, answer = _post("token", {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]})
    elif name == "revocar":
        exchange, answer = _post("revoke", {"token": kept["refresh_token"]})
    elif name == "datos":
        exchange, answer = _userinfo(kept["access_token"])
    else:
        return HttpResponseRedirect(reverse("sandbox_openid"))
    kept |= {each: str(answer[each]) for each in _KEPT if answer.get(each)}
    context = {
        "name": name,
        "exchange": exchange,
        "kept": kept,
        "checks": _checked(answer.get("id_token", ""), memory),
        "signed_out": settings.CLAVE_URL + SIGNED_OUT,
        "client_id": CLIENT_ID,
    }
    return show(request, "sandbox/openid_step.html", context)


def signed_out(request: HttpRequest) -> HttpResponse:
    """The last step: the browser comes back from signing out."""
    return show(request, "sandbox/openid_signed_out.html", {"answer": request.GET.dict().items()})


def _post(endpoint: str, fields: dict[str, str]) -> tuple[Exchange, dict[str, Any]]:
    """Post to an endpoint as the demo's client; return what happened, and the answer's fields."""
    with http_client() as http:
        answer = http.post(f"/sso/{endpoint}", data=fields, auth=(CLIENT_ID, SECRET))
    body = "\n".join(f"{name}={value}" for name, value in fields.items())
    request = f"POST {answer.url}\nAuthorization: Basic {_('(client_id y secreto)')}\n\n{body}"
    return _exchange(request, answer)


def _userinfo(access_token: str) -> tuple[Exchange, dict[str, Any]]:
    with http_client() as http:
        answer = http.get("/sso/userinfo", headers={"Authorization": f"Bearer {access_token}"})
    return _exchange(f"GET {answer.url}\nAuthorization: Bearer {access_token}", answer)


def _exchange(request: str, answer: httpx.Response) -> tuple[Exchange, dict[str, Any]]:
    headers = [f"{name}: {answer.headers[name]}" for name in _SHOWN_HEADERS if name in answer.headers]
    content: Any = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    body = json.dumps(content, indent=2, ensure_ascii=False) if content else answer.text
    lines = [f"HTTP {answer.status_code} {answer.reason_phrase}", *headers, "", body]
    tokens = [_taken_apart("id_token", content["id_token"])] if content.get("id_token") else []
    return Exchange(request, "\n".join(lines), answer.status_code, tokens), content


def _taken_apart(name: str, token: str) -> tuple[str, str, str]:
    """Return a JWT's header and claims, readable."""
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")[:2]]
    header, claims = (json.dumps(json.loads(part), indent=2, ensure_ascii=False) for part in parts)
    return name, header, claims


def _checked(id_token: str, memory: dict[str, str]) -> list[tuple[str, bool]]:
    """Return what an application checks of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
    if not id_token:
        return []
    with http_client() as http:
        keys = KeySet.import_key_set(http.get("/sso/jwks").json())
    try:
        claims = dict(jwt.decode(id_token, keys, algorithms=["ES256", "RS256"]).claims)
    except (JoseError, ValueError):
        claims = {}
    return [
        (_("La firma es de una clave publicada por Clave"), bool(claims)),
        (_("El emisor (iss) es Clave"), claims.get("iss") == settings.CLAVE_URL),
        (_("Es para este sistema (aud)"), claims.get("aud") == CLIENT_ID),
        (_("El nonce es el que este navegador envió"), claims.get("nonce") == memory.get("nonce", "")),
    ]
