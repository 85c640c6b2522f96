"""What a client may know of a holder: scopes, and the claims they stand for.

Source: OpenID Connect Core 1.0, sections 5.1 and 5.4; for `run` and `RolUnico`, ClaveÚnica's claims (mission.md).
"""

from django.utils.translation import gettext_lazy as _

from clave.holders.comunas import comunas
from clave.holders.models import Holder, Profile
from clave.lib.text import Text

# Each scope's claims, and what it lets a client know in the words of the consent page.
SCOPES: dict[str, tuple[tuple[str, ...], Text]] = {
    "openid": ((), _("Que usted ingresó con su Clave SENCE")),
    "profile": (
        ("name", "given_name", "family_name", "birthdate", "gender", "locale", "zoneinfo", "updated_at"),
        _("Su nombre, fecha de nacimiento y sexo"),
    ),
    "name": (("name", "given_name", "family_name"), _("Su nombre")),
    "run": (("run", "identity_document", "holder_profile", "identity_proof"), _("Su RUN o documento de identidad")),
    "email": (("email", "email_verified"), _("Su correo")),
    "phone": (("phone_number", "phone_number_verified"), _("Su teléfono")),
    "address": (("address",), _("Su dirección")),
    "entity": (("entity", "role"), _("La empresa por la que actúa")),
    "offline_access": ((), _("Consultar estos datos también cuando usted no esté usando el sistema")),
}
ALL = tuple(SCOPES)
CLAIMS = sorted({claim for claims, _words in SCOPES.values() for claim in claims})
_PROFILES = {
    Profile.PERSONA_NATURAL: "persona_natural",
    Profile.PERSONA_JURIDICA: "persona_juridica",
    Profile.MIGRANTE: "migrante",
    Profile.FACILITADOR: "facilitador_extranjero",
}
_GENDERS = {"F": "female", "M": "male"}


def names_of(scopes: list[str]) -> list[str]:
    """Return the claims that these scopes stand for."""
    return [claim for scope in scopes if scope in SCOPES for claim in SCOPES[scope][0]]


def scope_of(claim: str) -> str:
    """Return the first scope that stands for a claim; empty for one that we do not have."""
    return next((scope for scope, (claims, _words) in SCOPES.items() if claim in claims), "")


def of(holder: Holder, names: list[str]) -> dict[str, object]:
    """Return the values of these claims; what is not known of the holder is left out."""
    known = {name: value for name, value in _all(holder).items() if name in names}
    return {name: value for name, value in known.items() if value not in (None, "", {})}


def _all(holder: Holder) -> dict[str, object]:
    is_entity = holder.profile == Profile.PERSONA_JURIDICA
    phone = holder.work_phone if is_entity else holder.mobile or holder.home_phone
    return {
        "name": holder.full_name,
        "given_name": holder.names,
        "family_name": holder.surnames,
        "birthdate": holder.birth_date.isoformat() if holder.birth_date else "",
        "gender": _GENDERS.get(holder.sex),
        "locale": "es-CL" if holder.language == "es" else holder.language,
        "zoneinfo": "America/Santiago",
        "updated_at": int(holder.updated_at.timestamp()),
        "run": holder.identifier if holder.profile in (Profile.PERSONA_NATURAL, Profile.PERSONA_JURIDICA) else "",
        "identity_document": {"type": str(holder.identifier_label), "number": holder.pretty_identifier},
        "holder_profile": _PROFILES[Profile(holder.profile)],
        "identity_proof": holder.verification,
        "email": holder.email,
        # Nothing records yet that a holder has read a message sent there.
        "email_verified": False if holder.email else None,
        "phone_number": phone,
        "phone_number_verified": False if phone else None,
        "address": _address(holder),
        "entity": {"rut": holder.identifier, "name": holder.names, "kind": holder.kind} if is_entity else {},
        "role": "entidad" if is_entity else "",
    }


def _address(holder: Holder) -> dict[str, str]:
    """Return the address claim (OpenID Connect Core 1.0, section 5.1.1)."""
    if not holder.street:
        return {}
    comuna = comunas().get(holder.comuna)
    place = {"locality": comuna.name, "region": comuna.region_name} if comuna else {}
    street = f"{holder.street} {holder.street_number}".strip()
    return {"formatted": holder.address_line, "street_address": street, **place, "country": "CL"}
