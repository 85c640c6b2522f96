"""Register a Persona Natural. Source: guide "Clave Única SENCE - Persona Natural", section 2."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.core import clock, submissions
from clave.core.masking import masked_email, masked_name, masked_phone
from clave.core.outcome import Outcome, Refused
from clave.core.rut import Rut
from clave.core.visit import Visit
from clave.courier import service as courier
from clave.flows.common import apply_contact
from clave.holders.models import Holder, Profile, Verification
from clave.holders.service import find_person
from clave.keys import policy
from clave.keys import service as keys
from clave.keys.attempts import axes
from clave.registries import registro_civil
from clave.registries.base import RegistryDown


@dataclass(frozen=True)
class Registered(Outcome):
    """The account exists. Names are masked: the person who typed this RUT may not be its owner."""

    kind: ClassVar[str] = "registered"
    name: str
    email: str
    mobile: str
    verified: bool


def unknown_run() -> Refused:
    return Refused(
        "unknown_run",
        _("El Registro Civil no conoce este RUT. Revise el número o llame a la mesa de ayuda."),
        field="rut",
    )


def deceased() -> Refused:
    return Refused(
        "deceased",
        _("Según el Registro Civil, la persona con este RUT falleció. Si es un error, llame a la mesa de ayuda."),
        field="rut",
    )


def already_registered() -> Refused:
    return Refused("already_registered", _("Este RUT ya tiene Clave SENCE. Si la olvidó, recupérela."), field="rut")


def wrong_card() -> Refused:
    return Refused(
        "wrong_card", _("El número de serie no corresponde a una cédula vigente de este RUT."), field="serial"
    )


def register(data: dict[str, Any], visit: Visit) -> Registered:
    """Create the account. Raises `Refused` (unknown, deceased, registered, card), `PolicyViolation`.

    When Registro Civil does not answer the account is created unverified and a job verifies it later.
    """
    rut: Rut = data["rut"]
    earlier = find_person(rut)
    if earlier is not None and not earlier.legacy:
        raise already_registered()
    person = _ask_registry(rut, data, visit)
    holder = earlier or Holder(profile=Profile.PERSONA_NATURAL, identifier=str(rut), created_at=clock.now())
    holder.language = visit.language
    apply_contact(holder, data)
    if person is not None:
        fill_in(holder, person)
    policy.check(data["new_key"], keys.about(holder))
    return _create(holder, data, visit)


def _ask_registry(rut: Rut, data: dict[str, Any], visit: Visit) -> registro_civil.Person | None:
    try:
        person = registro_civil.find_person(rut, visit)
        if person is None:
            raise unknown_run()
        if person.deceased:
            raise deceased()
        if settings.REGISTRATION_PROOF == "id_card":
            # A wrong serial counts, so that cards cannot be guessed here.
            tries = axes("serial", str(rut), visit)
            tries.check()
            if not registro_civil.card_is_valid(rut, data["serial"], visit):
                tries.fail()
                raise wrong_card()
    except RegistryDown:
        if settings.REGISTRATION_PROOF == "id_card":
            raise Refused(
                "registry_down",
                _("El Registro Civil no responde y no podemos revisar su cédula. Intente en unos minutos."),
            ) from None
        return None
    return person


def fill_in(holder: Holder, person: registro_civil.Person) -> None:
    """Take names, sex and birth date from the registry and mark the holder verified."""
    holder.names, holder.surnames = person.names, person.surnames
    holder.sex, holder.birth_date = person.sex, person.birth_date
    holder.verification = Verification.VERIFIED


def _create(holder: Holder, data: dict[str, Any], visit: Visit) -> Registered:
    outcome = Registered(
        name=masked_name(holder.full_name),
        email=masked_email(holder.email),
        mobile=masked_phone(holder.mobile) if holder.mobile else "",
        verified=holder.verification == Verification.VERIFIED,
    )
    was_legacy = holder.legacy
    holder.legacy = False
    try:
        with transaction.atomic():
            if was_legacy:
                # Two registrations of one old account at once: the first takes the mark away.
                if not Holder.objects.filter(pk=holder.pk, legacy=True).update(legacy=False):
                    raise already_registered()
                holder.save()
            else:
                holder.save(force_insert=True)
            keys.set_first(holder, data["new_key"])
            if settings.SECRET_QUESTIONS:
                keys.set_answer(holder, data["question"], data["answer"])
            courier.send(
                holder, "welcome", {"identifier": holder.pretty_identifier}, email=holder.email, mobile=holder.mobile
            )
            audit.record("holder.registered", visit, holder=holder, verified=outcome.verified)
            submissions.finish(visit, outcome)
    except IntegrityError:
        raise already_registered() from None
    return outcome
