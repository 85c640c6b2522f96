"""The dialect of applications written for ClaveÚnica. Source: rce-protocol.md, section 3.

Such applications ask for the scopes `openid run name`, with no PKCE and often with raw spaces, send their secret in
the form, and read `RolUnico` and `name` as objects.
"""

from urllib.parse import unquote

from clave.holders.models import Profile
from clave.lib.rut import InvalidRut, Rut
from clave.sso.models import Grant

SCOPES = ["openid", "run", "name", "email"]
CLAIMS = ["sub", "RolUnico", "name", "email"]
# Words that begin a name of several: «De la Cruz», «Del Río», «San Martín».
_PARTICLES = {"da", "das", "de", "del", "der", "di", "do", "dos", "du", "el", "la", "las", "le", "los", "mac", "san"}
_PARTICLES |= {"santa", "van", "von", "y"}


def userinfo(grant: Grant) -> dict[str, object]:
    """Return the claims as ClaveÚnica does: the RUN as a number and a check digit, names and surnames as lists."""
    holder, scopes = grant.holder, grant.scope_list
    claims: dict[str, object] = {"sub": grant.subject}
    if "run" in scopes and (rol_unico := _rol_unico(holder.identifier)):
        claims["RolUnico"] = rol_unico | {"tipo": "RUT" if holder.profile == Profile.PERSONA_JURIDICA else "RUN"}
    if "name" in scopes:
        claims["name"] = {"nombres": single_names(holder.names), "apellidos": single_names(holder.surnames)}
    if "email" in scopes and holder.email:
        claims["email"] = holder.email
    return claims


def single_names(text: str) -> list[str]:
    """Split names as ClaveÚnica does, so that the first surname is the father's: `["Del Río", "González"]`."""
    found: list[str] = []
    begun: list[str] = []
    for word in text.split():
        begun.append(word)
        if word.casefold() not in _PARTICLES:
            found.append(" ".join(begun))
            begun = []
    return [*found, " ".join(begun)] if begun else found


def redirect_uri(sent: str) -> str:
    """Return `redirect_uri` of the token form, which many clients percent-encode once more than the form does.

    An absolute URI has a colon (RFC 3986, section 4.3), one that is still encoded has none.
    """
    return sent if ":" in sent else unquote(sent)


def _rol_unico(identifier: str) -> dict[str, object]:
    """Return a RUN's number and check digit; empty for a holder who has none."""
    try:
        rut = Rut.parse(identifier)
    except InvalidRut:
        return {}
    return {"numero": rut.number, "DV": rut.dv}
