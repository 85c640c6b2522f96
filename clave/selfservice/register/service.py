"""Register a person, a company or a migrant.

Source: guide PN, section 2; guide PJ, section 2; mission.md, section 5.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import policy, revocation, throttling
from clave.credentials import service as credentials
from clave.holders.models import Holder, Profile, Verification
from clave.holders.service import ClaimedIdentity
from clave.lib import clock
from clave.lib.masking import masked_email, masked_name, masked_phone
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.notifications import outbox
from clave.registries import registro_civil, sii
from clave.registries.base import RegistryDown
from clave.selfservice.common import apply_contact, apply_identity, store_representative
from clave.web.forms import CleanedData


@dataclass(frozen=True)
class Registered(Outcome):
    """The account was created. A person's name is masked: whoever typed this RUT may not be its owner."""

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


# Refusals that disclose something about the owner of a RUT. `policy` is one: if a key is refused only because of the
# registry's data, it contains the birth date, for example.
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


def describe(claim: ClaimedIdentity, data: CleanedData) -> Holder:
    """Return the account as typed. Raises `PolicyViolation` if the key is forbidden because of the typed data.

    This is checked first and neither counted nor audited, because it discloses nothing about the RUT.
    """
    typed = Holder(profile=claim.profile, identifier=claim.identifier, created_at=clock.now())
    apply_contact(typed, data)
    policy.check(data["new_key"], credentials.about(typed))
    return typed


def check(
    claim: ClaimedIdentity,
    typed: Holder,
    data: CleanedData,
    context: RequestContext,
    *,
    identity_proved: bool = False,
) -> Holder:
    """Query the registries; return the account to create. Raises `Refused` (unknown, deceased, registered, card...).

    `identity_proved`: another proof stands for the card that the settings may require. If a registry is down the
    account is created unverified and a job verifies it later. Pass refusals raised here or in `create` to `refusal`.
    """
    existing = claim.holder()
    card = settings.REGISTRATION_PROOF == "id_card" and not identity_proved
    # Query the registry in any case: otherwise the response time would reveal that a RUT is registered.
    fill = _QUERIES[claim.profile](data, context, card)
    if existing is not None and not existing.legacy:
        raise already_registered()
    holder = existing or typed
    holder.language = context.language
    apply_contact(holder, data)
    fill(holder)
    if card and claim.profile != Profile.MIGRANTE:
        holder.card_checked_at = clock.now()
    policy.check(data["new_key"], credentials.about(holder))
    return holder


def refusal(claim: ClaimedIdentity, refused: Refused, context: RequestContext) -> Refused:
    """Audit a refusal; return the one to show. Call outside the transaction that it has rolled back.

    Refusals that disclose whether somebody is registered, known to a registry or dead are counted; beyond a limit only
    a generic refusal is shown (abuse case 71).
    """
    audit.record("holder.registered", context, holder=claim.holder(), outcome=refused.code)
    if refused.code in _DISCLOSING and not throttling.may_disclose(context):
        return not_created()
    return refused


Fill = Callable[[Holder], None]


def _query_civil_registry(data: CleanedData, context: RequestContext, card: bool) -> Fill:
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
        if card:
            _check_card(rut, data, context)
    except RegistryDown:
        return _defer(card)
    return partial(confirm_person, person=person)


def _query_tax_office(data: CleanedData, context: RequestContext, card: bool) -> Fill:
    """Query the SII about the company and its representative (guide PJ, section 2)."""
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
        if card:
            _check_card(data["representative"], data, context)
    except RegistryDown:
        fill = _defer(card)
    else:
        fill = partial(confirm_company, company=company)

    def declare(holder: Holder) -> None:
        holder.names, holder.kind = data["company_name"], data["kind"]
        fill(holder)

    return declare


def _declared(data: CleanedData, context: RequestContext, card: bool) -> Fill:
    """Take the identity as typed and mark it declared: migrants are in no registry."""
    return partial(apply_identity, data=data)


_QUERIES: dict[str, Callable[[CleanedData, RequestContext, bool], Fill]] = {
    Profile.PERSONA_NATURAL: _query_civil_registry,
    Profile.PERSONA_JURIDICA: _query_tax_office,
    Profile.MIGRANTE: _declared,
}


def _check_card(run: Rut, data: CleanedData, context: RequestContext) -> None:
    """Check the card's serial number; failures are limited, so that it cannot be guessed."""
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


def _defer(card: bool) -> Fill:
    """Leave the account unverified for now. Raises `Refused` if a card is required, as it cannot be checked."""
    if card:
        raise Refused(
            "registry_down",
            _("El registro no responde y no podemos revisar su cédula. Intente en unos minutos."),
        )

    def fill(holder: Holder) -> None:
        holder.verification = Verification.UNVERIFIED

    return fill


def confirm_person(holder: Holder, person: registro_civil.Person) -> None:
    """Copy names, sex and birth date from Registro Civil and mark the holder verified."""
    holder.names, holder.surnames = person.names, person.surnames
    holder.sex, holder.birth_date = person.sex, person.birth_date
    holder.verification = Verification.VERIFIED


def confirm_company(holder: Holder, company: sii.Company) -> None:
    """Copy the razón social from the SII and mark the holder verified."""
    holder.names, holder.verification = company.name, Verification.VERIFIED


def create(holder: Holder, data: CleanedData, context: RequestContext) -> Registered:
    """Create the account returned by `check`. Raises `Refused` if it has been registered in the meantime."""
    company = holder.profile == Profile.PERSONA_JURIDICA
    mobile = data["representative_mobile"] if company else holder.mobile
    outcome = Registered(
        # A company's name is public, and someone in no registry has just typed the name.
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
                # Of two concurrent registrations of a legacy account only the first clears the flag.
                if not Holder.objects.filter(pk=holder.pk, legacy=True).update(legacy=False):
                    raise already_registered()
                holder.save()
                revocation.end_access(holder)  # any access the legacy account had here before
            else:
                holder.save(force_insert=True)
            if company:
                store_representative(holder, data)
            credentials.set_first(holder, data["new_key"])
            if settings.SECRET_QUESTIONS:
                credentials.set_answer(holder, data["question"], data["answer"])
            _welcome(holder, mobile)
            audit.record("holder.registered", context, holder=holder, verification=holder.verification)
    except IntegrityError:
        raise already_registered() from None
    return outcome


def _welcome(holder: Holder, mobile: str) -> None:
    """Send a confirmation unless the contact's daily quota for registrations is used up."""
    variables = {"identifier": holder.display_name}
    with suppress(outbox.TooManyMessages):
        outbox.send(holder, "welcome", variables, email=holder.email, mobile=mobile, quota="registration")
