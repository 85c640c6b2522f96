"""What a client's registration must fulfil, wherever it is made: back office, command or API.

Source: RFC 9700, sections 2.1 and 4.1; RFC 8252, sections 7 and 8; OpenID Connect Registration 1.0, section 2.
"""

import json
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from clave.holders.models import Profile
from clave.lib.text import unexpected_characters
from clave.sso import claims, claveunica, jwts
from clave.sso.models import Client, ClientKind, Dialect, SubjectType

# What can be set of a client, in the order in which it is shown. The rest follows or has a step of its own.
SETTINGS = (
    "name", "contact", "home_url", "dialect", "kind", "redirect_uris", "post_logout_redirect_uris",
    "backchannel_logout_uri", "frontchannel_logout_uri", "scopes", "profiles", "subject_type", "sector",
    "id_token_algorithm", "userinfo_algorithm", "jwks", "requires_pkce", "requires_pushed_requests", "requires_dpop",
    "is_resource_server",
)  # fmt: skip
MOST_ADDRESSES = 50
MOST_JWKS = 16_000
_SECTOR = re.compile(r"[a-zA-Z0-9._:-]*")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_UNWANTED = re.compile(r"[^\x21-\x7e]|[\\\\*<>\"`{}|^]")
# A name, an IPv4 or an IPv6 address: nothing that a content policy, which names the host, would read otherwise.
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.IGNORECASE)
_OWN_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def settings_of(client: Client) -> dict[str, object]:
    """Return what is set of a client, by field."""
    return {name: getattr(client, name) for name in SETTINGS}


def hosts_of(client: Client) -> set[str]:
    """Return where a client's people may be sent back: hosts, and schemes of an application's own."""
    parts = [urlsplit(address) for address in client.redirect_uris]
    return {part.hostname or part.scheme for part in parts}


def problems(client: Client) -> dict[str, str]:
    """Return what is wrong with a client, by field; empty if it may be stored."""
    found = {
        "name": _name_problem(client.name),
        "home_url": _own_server_problem(client.home_url),
        "redirect_uris": _addresses_problem(client.redirect_uris, client) or _missing(client.redirect_uris),
        "post_logout_redirect_uris": _addresses_problem(client.post_logout_redirect_uris, client),
        "backchannel_logout_uri": _own_server_problem(client.backchannel_logout_uri),
        "frontchannel_logout_uri": _own_server_problem(client.frontchannel_logout_uri),
        "scopes": _scopes_problem(client.scopes),
        "profiles": "" if set(client.profiles) <= set(Profile.values) else _("Hay un perfil que no existe."),
        "jwks": _keys_problem(client),
        "requires_pkce": _pkce_problem(client),
        "sector": _sector_problem(client),
    }
    judged = {field: problem for field, problem in found.items() if problem}
    try:
        client.clean_fields(exclude={"client_id", "created_at", "logo_version", *judged})
    except ValidationError as error:
        judged |= {field: " ".join(messages) for field, messages in error.message_dict.items()}
    return judged


def _name_problem(name: str) -> str:
    if not name.strip():
        return _("Escriba el nombre del sistema.")
    return _("El nombre lleva solo letras, números y signos comunes.") if unexpected_characters(name) else ""


def _scopes_problem(scopes: list[str]) -> str:
    if not scopes:
        return _("Elija al menos un dato.")
    return "" if set(scopes) <= set(claims.ALL) else _("Hay un permiso que no existe.")


def address_problem(address: str, *, own_scheme: bool) -> str:
    """Return why the browser may not be sent to this address; `own_scheme` allows an application's own (RFC 8252)."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
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
    if len(addresses) > MOST_ADDRESSES:
        return _("Son demasiadas direcciones.")
    if len(set(addresses)) < len(addresses):
        return _("Hay una dirección repetida.")
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
    written = json.dumps(client.jwks)
    if len(written) > MOST_JWKS or "\\u0000" in written:
        return _("No es un conjunto de claves (JWKS).")
    if not isinstance(client.jwks, dict) or not isinstance(client.jwks.get("keys"), list):
        return _("No es un conjunto de claves (JWKS).")
    return "" if jwts.public_keys(client.jwks) else _("El conjunto lleva solo claves públicas, EC o RSA.")


def _pkce_problem(client: Client) -> str:
    if client.requires_pkce or client.kind != ClientKind.PUBLIC:
        return ""
    return _("Una aplicación pública debe usar PKCE.")


def _sector_problem(client: Client) -> str:
    """Return whether the sector is ambiguous: addresses at several hosts need one named (Core 1.0, section 8.1)."""
    if not _SECTOR.fullmatch(client.sector):
        return _("El sector se escribe como el nombre de un sitio, por ejemplo ejemplo.cl.")
    if _addresses_problem(client.redirect_uris, client):
        return ""
    several = len(hosts_of(client)) > 1
    ambiguous = client.subject_type == SubjectType.PAIRWISE and not client.sector and several
    return _("Las direcciones son de varios sitios: escriba el nombre del sector.") if ambiguous else ""


def prepare(client: Client) -> None:
    """Set what follows from ClaveÚnica's dialect: its scopes, RS256, PKCE only for who has no secret.

    Its applications cannot do without a RUN, so only persons who have one sign in there unless profiles are named.
    """
    if client.dialect == Dialect.CLAVEUNICA:
        client.requires_pkce, client.id_token_algorithm = client.is_public, "RS256"
        client.scopes = [scope for scope in client.scopes if scope in claveunica.SCOPES]
        client.profiles = client.profiles or [Profile.PERSONA_NATURAL.value]
