"""Register a person, a company or a migrant.

Source: guide PN, section 2; guide PJ, section 2; mission.md, section 5.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import policy, revocation, throttling
from clave.credentials import service as keys
from clave.holders.models import Holder, Profile, Verification
from clave.holders.service import ClaimedIdentity
from clave.lib import clock
from clave.lib.masking import masked_email, masked_name, masked_phone
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.notifications import outbox as courier
from clave.registries import registro_civil, sii
from clave.registries.base import RegistryDown
from clave.selfservice.common import apply_contact, apply_identity, store_representative


@dataclass(frozen=True)
class Registered(Outcome):
    """The account exists. A person's name is masked: who typed this RUT may not be its owner."""

    kind: ClassVar[str] = "registered"
    name: str
    email: str
    mobile: str
    verification: str
    profile: str


def already_registered() -> Refused:
    return Refused(
        "already_registered", _("Esta cuenta ya tiene Clave SENCE. Si la olvidó, recupérela."), field="identifier"
    )


# What tells a stranger something about whoever has this RUT.
# `policy` among it: a key that only the registry's data forbids holds a birth date.
_DISCLOSING = frozenset(
    {
        "already_registered",
        "unknown_run",
        "deceased",
        "unknown_company",
        "not_representative",
        "wrong_card",
        "policy",
    }
)


def not_created() -> Refused:
    return Refused(
        "not_created",
        _(
            "No pudimos crear la cuenta con estos datos. Revise los números; si ya tiene Clave SENCE, recupérela. Si "
            "no resulta, llame a la mesa de ayuda."
        ),
        field="identifier",
    )


def wrong_card() -> Refused:
    return Refused(
        "wrong_card", _("El número de serie no corresponde a una cédula vigente de este RUT."), field="serial"
    )


def describe(claim: ClaimedIdentity, data: dict[str, Any]) -> Holder:
    """Return the account as it was typed. Raises `PolicyViolation` for a key that what was typed forbids.

    This is judged first, and neither counted nor audited: it tells nothing about the RUT.
    """
    typed = Holder(profile=claim.profile, identifier=claim.identifier, created_at=clock.now())
    apply_contact(typed, data)
    policy.check(data["new_key"], keys.about(typed))
    return typed


def check(claim: ClaimedIdentity, typed: Holder, data: dict[str, Any], context: RequestContext) -> Holder:
    """Ask the registries; return the account to create. Raises `Refused` (unknown, deceased, registered, card...).

    When a registry does not answer the account will be unverified, and a job verifies it later. What is refused, here
    or in `create`, goes through `refusal`.
    """
    earlier = claim.holder()
    # A registry is asked first whoever it is: otherwise a registered RUT would be answered sooner.
    tell = _ASK[claim.profile](data, context)
    if earlier is not None and not earlier.legacy:
        raise already_registered()
    holder = earlier or typed
    holder.language = context.language
    apply_contact(holder, data)
    tell(holder)
    policy.check(data["new_key"], keys.about(holder))
    return holder


def refusal(claim: ClaimedIdentity, refused: Refused, context: RequestContext) -> Refused:
    """Audit a refusal; return what may be told of it. Call outside the transaction that it has undone.

    Whether somebody is registered, known to a registry or dead is counted: strangers who have been told often enough
    are told no more than that it did not work (abuse case 71).
    """
    audit.record("holder.registered", context, holder=claim.holder(), outcome=refused.code)
    if refused.code in _DISCLOSING and not throttling.may_disclose(context):
        return not_created()
    return refused


Tell = Callable[[Holder], None]


def _ask_civil_registry(data: dict[str, Any], context: RequestContext) -> Tell:
    rut: Rut = data["rut"]
    try:
        person = registro_civil.find_person(rut, context)
        if person is None:
            raise Refused(
                "unknown_run",
                _("El Registro Civil no conoce este RUT. Revise el número o llame a la mesa de ayuda."),
                field="rut",
            )
        if person.deceased:
            raise Refused(
                "deceased",
                _("Según el Registro Civil, esta persona falleció. Si es un error, llame a la mesa de ayuda."),
                field="rut",
            )
        _check_card(rut, data, context)
    except RegistryDown:
        return _wait()
    return partial(confirm_person, person=person)


def _ask_tax_office(data: dict[str, Any], context: RequestContext) -> Tell:
    """Ask the SII for the company and its representative (guide PJ, section 2)."""
    try:
        company = sii.find_company(data["rut"], context)
        if company is None or not company.active:
            raise Refused(
                "unknown_company",
                _("El SII no conoce una empresa vigente con este RUT. Revise el número o llame a la mesa de ayuda."),
                field="rut",
            )
        if not sii.represents(data["representative"], data["rut"], context):
            raise Refused(
                "not_representative",
                _("Según el SII, esta persona no es representante legal de la empresa. Revise el RUT."),
                field="representative",
            )
        _check_card(data["representative"], data, context)
    except RegistryDown:
        tell = _wait()
    else:
        tell = partial(confirm_company, company=company)

    def declare(holder: Holder) -> None:
        holder.names, holder.kind = data["company_name"], data["kind"]
        tell(holder)

    return declare


def _declared(data: dict[str, Any], context: RequestContext) -> Tell:
    """No registry knows a migrant: what was typed stands, and is called declared."""
    return partial(apply_identity, data=data)


_ASK: dict[str, Callable[[dict[str, Any], RequestContext], Tell]] = {
    Profile.PERSONA_NATURAL: _ask_civil_registry,
    Profile.PERSONA_JURIDICA: _ask_tax_office,
    Profile.MIGRANTE: _declared,
}


def _check_card(run: Rut, data: dict[str, Any], context: RequestContext) -> None:
    """Check the card's serial where the settings ask for it; a wrong one counts, so that cards cannot be guessed."""
    if settings.REGISTRATION_PROOF != "id_card":
        return
    limits = throttling.limits("serial", str(run), context, throttling.ANSWER)
    limits.reserve()
    try:
        valid = registro_civil.card_is_valid(run, data["serial"], context)
    except RegistryDown:
        limits.take_back()
        raise
    if not valid:
        limits.fail()
        raise wrong_card()
    limits.release()


def _wait() -> Tell:
    """Leave the account unverified for now, unless the settings ask for a card, which then cannot be checked."""
    if settings.REGISTRATION_PROOF == "id_card":
        raise Refused(
            "registry_down",
            _("El registro no responde y no podemos revisar su cédula. Intente en unos minutos."),
        )

    def tell(holder: Holder) -> None:
        holder.verification = Verification.UNVERIFIED

    return tell


def confirm_person(holder: Holder, person: registro_civil.Person) -> None:
    """Take names, sex and birth date from Registro Civil and mark the holder verified."""
    holder.names, holder.surnames = person.names, person.surnames
    holder.sex, holder.birth_date = person.sex, person.birth_date
    holder.verification = Verification.VERIFIED


def confirm_company(holder: Holder, company: sii.Company) -> None:
    """Take the razón social from the SII and mark the holder verified."""
    holder.names, holder.verification = company.name, Verification.VERIFIED


def create(holder: Holder, data: dict[str, Any], context: RequestContext) -> Registered:
    """Create the account that `check` returned. Raises `Refused` if somebody was quicker."""
    company = holder.profile == Profile.PERSONA_JURIDICA
    mobile = data["representative_mobile"] if company else holder.mobile
    outcome = Registered(
        # A company's name is public, and the person who is in no registry has just typed it.
        name=masked_name(holder.full_name) if holder.profile == Profile.PERSONA_NATURAL else holder.full_name,
        email=masked_email(holder.email),
        mobile=masked_phone(mobile) if mobile else "",
        verification=holder.verification,
        profile=holder.profile,
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
                revocation.end_access(holder)  # whatever the old system's account had here before
            else:
                holder.save(force_insert=True)
            if company:
                store_representative(holder, data)
            keys.set_first(holder, data["new_key"])
            if settings.SECRET_QUESTIONS:
                keys.set_answer(holder, data["question"], data["answer"])
            _welcome(holder, mobile)
            audit.record("holder.registered", context, holder=holder, verification=holder.verification)
    except IntegrityError:
        raise already_registered() from None
    return outcome


def _welcome(holder: Holder, mobile: str) -> None:
    """Confirm the account, unless strangers have had enough confirmations sent there today."""
    told = {"identifier": holder.display_name}
    with suppress(courier.TooManyMessages):
        courier.send(holder, "welcome", told, email=holder.email, mobile=mobile, quota="registration")
