"""What a client's registration must fulfil, wherever it is made: back office, command or API.

Source: RFC 9700, sections 2.1 and 4.1; RFC 8252, sections 7 and 8; OpenID Connect Registration 1.0, section 2.
"""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from clave.sso import claims, jwts
from clave.sso.models import Client, ClientKind, Dialect

_LOCAL = ("localhost", "127.0.0.1", "::1")
_UNWANTED = re.compile(r"[^\x21-\x7e]|[\\\\*<>\"`{}|^]")
# A name, an IPv4 or an IPv6 address: nothing that a content policy, which names the host, would read otherwise.
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.IGNORECASE)
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def problems(client: Client) -> dict[str, str]:
    """Return what is wrong with a client, by field; empty if it may be stored."""
    found = {
        "name": _("Escriba el nombre del sistema.") if not client.name.strip() else "",
        "redirect_uris": _addresses_problem(client.redirect_uris, client) or _missing(client.redirect_uris),
        "post_logout_redirect_uris": _addresses_problem(client.post_logout_redirect_uris, client),
        "backchannel_logout_uri": _own_server_problem(client.backchannel_logout_uri),
        "frontchannel_logout_uri": _own_server_problem(client.frontchannel_logout_uri),
        "scopes": "" if set(client.scopes) <= set(claims.ALL) else _("Hay un permiso que no existe."),
        "jwks": _keys_problem(client),
        "requires_pkce": _pkce_problem(client),
        "sector": _sector_problem(client),
    }
    return {field: problem for field, problem in found.items() if problem}


def address_problem(address: str, *, own_scheme: bool) -> str:
    """Return why the browser may not be sent to this address; `own_scheme` allows an application's own (RFC 8252)."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return _("No es una dirección.")
    if _UNWANTED.search(address) or len(address) > 500 or parts.fragment or address.endswith("#"):
        return _("La dirección no lleva espacios, asteriscos ni «#», y tiene hasta 500 caracteres.")
    if parts.username is not None or parts.password is not None:
        return _("La dirección no lleva usuario ni clave.")
    if own_scheme and _OWN_SCHEME.fullmatch(parts.scheme) and not parts.netloc:
        return ""
    if not _HOST.fullmatch(host) or parts.scheme not in ("https", "http"):
        return _("La dirección empieza con https:// y el nombre del sitio.")
    if parts.scheme == "http" and host not in _LOCAL and not settings.CLAVE_DEMO:
        return _("La dirección empieza con https://; http:// sirve solo en su propia máquina (localhost).")
    return ""


def _addresses_problem(addresses: list[str], client: Client) -> str:
    own_scheme = client.kind == ClientKind.PUBLIC
    found = (
        f"{address}: {problem}" for address in addresses if (problem := address_problem(address, own_scheme=own_scheme))
    )
    return next(found, "")


def _missing(addresses: list[str]) -> str:
    return "" if addresses else _("Escriba al menos una dirección de retorno.")


def _own_server_problem(address: str) -> str:
    return address_problem(address, own_scheme=False) if address else ""


def _keys_problem(client: Client) -> str:
    """Return what is wrong with the client's keys: only public ones of the kinds that sign (RFC 7517)."""
    if not client.jwks:
        return _("Pegue la clave pública (JWKS).") if client.kind == ClientKind.KEY else ""
    if not isinstance(client.jwks, dict) or not isinstance(client.jwks.get("keys"), list):
        return _("No es un conjunto de claves (JWKS).")
    return "" if jwts.public_keys(client.jwks) else _("El conjunto lleva solo claves públicas, EC o RSA.")


def _pkce_problem(client: Client) -> str:
    if client.requires_pkce or client.kind != ClientKind.PUBLIC:
        return ""
    return _("Una aplicación pública debe usar PKCE.")


def _sector_problem(client: Client) -> str:
    """Return whether the sector is ambiguous: addresses at several hosts need one named (Core 1.0, section 8.1)."""
    if _addresses_problem(client.redirect_uris, client):
        return ""
    hosts = {urlsplit(address).hostname for address in client.redirect_uris}
    ambiguous = client.subject_type == "pairwise" and not client.sector and len(hosts) > 1
    return _("Las direcciones son de varios sitios: escriba el nombre del sector.") if ambiguous else ""


def prepare(client: Client) -> None:
    """Set what follows from other fields: a public client uses PKCE, ClaveÚnica's dialect has RS256 and no PKCE."""
    if client.dialect == Dialect.CLAVEUNICA:
        client.requires_pkce, client.id_token_algorithm = False, "RS256"
