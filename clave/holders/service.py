"""Finding holders, and what the system must know of them before it operates."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clave.core.outcome import Refused
from clave.core.prepared import Lookup
from clave.core.rut import Rut
from clave.holders.models import Holder, Profile


class MinimumDataMissing(Refused):
    """The holder lacks data without which the system does not operate (guide PN, section 6)."""

    status = 403

    def __init__(self, missing: list[str]) -> None:
        super().__init__("minimum_data")
        self.missing = missing

    @property
    def labels(self) -> list[object]:
        """Return what is missing in the person's words."""
        return [MISSING_LABELS[name] for name in self.missing]


SECRETS = ("credential", "secret_answer", "temporary_key")


_PERSON = Lookup(
    lambda rut: Holder.objects.filter(profile=Profile.PERSONA_NATURAL, identifier=rut).select_related(*SECRETS), "rut"
)


def find_person(rut: Rut) -> Holder | None:
    """Return the Persona Natural with this RUT, if registered. One query, with what is secret about it joined."""
    return _PERSON.one(str(rut))


def find_company(rut: Rut, representative: Rut) -> Holder | None:
    """Return the Persona Jurídica with this RUT, if registered and represented by that person. One query, as above."""
    found = Holder.objects.filter(
        profile=Profile.PERSONA_JURIDICA, identifier=str(rut), representatives__run=str(representative)
    ).select_related(*SECRETS)
    return next(iter(found), None)


_NEEDED: list[tuple[str, Callable[[Holder], object]]] = [
    ("names", lambda holder: holder.names),
    ("birth_date", lambda holder: holder.birth_date),
    ("email", lambda holder: holder.email),
    ("phone", lambda holder: holder.mobile or holder.no_mobile),
    ("address", lambda holder: holder.street and holder.street_number and holder.comuna),
]
MISSING_LABELS = {
    "names": _("sus nombres"),
    "birth_date": _("su fecha de nacimiento"),
    "email": _("su correo electrónico"),
    "phone": _("su celular (o marcar «Sin celular»)"),
    "address": _("su dirección"),
    "question": _("su pregunta y respuesta secreta"),
}


def missing_data(holder: Holder) -> list[str]:
    """Name the minimum data this holder lacks, in the order of the form; of a company only its e-mail is asked.

    Names and birth date come from the registry: an account still to be verified may wait for them.
    """
    if holder.profile == Profile.PERSONA_JURIDICA:
        return [] if holder.email else ["email"]
    waiting = holder.verification == "unverified"
    missing = [name for name, has in _NEEDED if not has(holder) and not (waiting and name in ("names", "birth_date"))]
    if settings.SECRET_QUESTIONS and not hasattr(holder, "secret_answer"):
        missing.append("question")
    return missing


def require_minimum_data(holder: Holder) -> None:
    """Raise `MinimumDataMissing` when any is missing."""
    if missing := missing_data(holder):
        raise MinimumDataMissing(missing)
