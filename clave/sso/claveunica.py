"""The dialect of applications written for ClaveÚnica. Source: rce-protocol.md, section 3.

Such applications ask for the scopes `openid run name`, with no PKCE and often with raw spaces, send their secret in
the form, and read `RolUnico` and `name` as objects.
"""

from clave.holders.models import Profile
from clave.lib.rut import InvalidRut, Rut
from clave.sso.models import Grant


def userinfo(grant: Grant) -> dict[str, object]:
    """Return the claims as ClaveÚnica does: the RUN as a number and a check digit, names as lists of words."""
    holder, scopes = grant.holder, grant.scope_list
    told: dict[str, object] = {"sub": grant.subject}
    if "run" in scopes and (rol_unico := _rol_unico(holder.identifier)):
        told["RolUnico"] = rol_unico | {"tipo": "RUT" if holder.profile == Profile.PERSONA_JURIDICA else "RUN"}
    if "name" in scopes:
        told["name"] = {"nombres": holder.names.split(), "apellidos": holder.surnames.split()}
    if "email" in scopes and holder.email:
        told["email"] = holder.email
    return told


def _rol_unico(identifier: str) -> dict[str, object]:
    """Return a RUN's number and check digit; empty for a holder who has none."""
    try:
        rut = Rut.parse(identifier)
    except InvalidRut:
        return {}
    number, _, digit = str(rut).partition("-")
    return {"numero": int(number), "DV": digit}
