"""Who calls the token endpoint. Source: OpenID Connect Core 1.0, section 9; RFC 6749, section 2.3; RFC 7523."""

import base64
from dataclasses import dataclass
from urllib.parse import unquote_plus

from django.http import HttpRequest

from clave.sso import client_keys, clients, jwts
from clave.sso.issuers import Issuer
from clave.sso.models import Client, ClientKind
from clave.sso.oauth_errors import OAuthError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
_REFUSED = OAuthError("invalid_client", "unknown client, or it did not prove who it is in its registered way")


@dataclass(frozen=True)
class _Credentials:
    """What a request says of its client: at most one proof."""

    client_id: str
    secret: str = ""
    assertion: str = ""


def authenticated(request: HttpRequest, issuer: Issuer) -> Client | OAuthError:
    """Return the client that has proved who it is, in the way registered for it, or the error to answer with."""
    credentials = _credentials(request)
    if isinstance(credentials, OAuthError):
        return credentials
    if request.POST.get("client_id", credentials.client_id) != credentials.client_id:
        return _REFUSED  # RFC 7521, section 4.2
    client = clients.find(credentials.client_id)
    if client is None or not client.active or client.dialect != issuer.dialect:
        return _REFUSED
    return client if _has_proved(client, credentials, issuer) else _REFUSED


def _credentials(request: HttpRequest) -> _Credentials | OAuthError:
    """Read the client's credentials; more than one kind is an error (RFC 6749, section 2.3)."""
    form = request.POST
    header = request.headers.get("Authorization", "")
    basic = header[:6].lower() == "basic "
    if basic + ("client_secret" in form) + ("client_assertion" in form) > 1:
        return OAuthError("invalid_request", "more than one way of client authentication")
    if basic:
        return _from_header(header[6:])
    if "client_assertion" in form:
        return _from_assertion(form["client_assertion"], form.get("client_assertion_type", ""))
    return _Credentials(form.get("client_id", ""), secret=form.get("client_secret", ""))


def _from_header(encoded: str) -> _Credentials | OAuthError:
    """Read HTTP Basic credentials, whose two parts are form-encoded (RFC 6749, section 2.3.1)."""
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return _REFUSED
    return _Credentials(unquote_plus(client_id), secret=unquote_plus(secret)) if colon else _REFUSED


def _from_assertion(assertion: str, assertion_type: str) -> _Credentials | OAuthError:
    """Read whose assertion it is, without believing it yet (RFC 7523, section 3)."""
    subject = jwts.subject_of(assertion)
    if assertion_type != ASSERTION_TYPE or not subject:
        return _REFUSED
    return _Credentials(subject, assertion=assertion)


def _has_proved(client: Client, credentials: _Credentials, issuer: Issuer) -> bool:
    if client.kind == ClientKind.PUBLIC:
        return not credentials.secret and not credentials.assertion
    if client.kind == ClientKind.SECRET:
        return bool(credentials.secret) and clients.has_secret(client, credentials.secret)
    return _assertion_is_valid(client, credentials.assertion, issuer)


def _assertion_is_valid(client: Client, assertion: str, issuer: Issuer) -> bool:
    """Return whether an assertion is the client's, for us, and new (OpenID Connect Core 1.0, section 9).

    Who pushes a request may name that endpoint as the audience (RFC 9126, section 2).
    """
    claims = client_keys.signed_by(client, assertion) if assertion else None
    if claims is None or claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        return False
    if not client_keys.is_for(claims, {issuer.url, issuer.endpoint("token"), issuer.endpoint("par")}):
        return False
    return client_keys.is_first_use("assertion", client.client_id, claims.get("jti"))
