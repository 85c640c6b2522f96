"""Recover a lost CS. Source: guide "Clave Única SENCE - Persona Natural", section 3; guide PJ, section 3."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import revocation, throttling
from clave.credentials import service as credentials
from clave.holders.models import Holder, Profile, Representative, Verification
from clave.holders.service import ClaimedIdentity, MinimumDataMissing, lock, require_minimum_data, sms_number
from clave.lib import clock
from clave.lib.crypto import keyed_hash
from clave.lib.masking import masked_email, masked_phone
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.lib.rut import Rut
from clave.notifications import outbox
from clave.registries import registro_civil, sii
from clave.registries.base import RegistryDown
from clave.selfservice import proofs
from clave.selfservice.common import send_temporary_key, when
from clave.selfservice.models import Waiting


@dataclass(frozen=True)
class KeySent(Outcome):
    """A temporary key was issued. `secret` contains it only if the settings have it shown on screen.

    `proof` is how the holder was identified; after a card, CS and secret answer are no longer valid.
    """

    kind: ClassVar[str] = "key_sent"
    email: str
    mobile: str
    until: str
    profile: str
    proof: str = ""


@dataclass(frozen=True)
class WillTell(Outcome):
    """A message will be sent when the registry is available again."""

    kind: ClassVar[str] = "will_tell"
    email: str
    registry: str


class WrongCard(Refused):
    """The serial number is not that of a valid card of this RUN, or the RUN is not registered: not told apart."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_card", _("El número de serie no coincide con una cédula vigente de este RUT."), field="serial"
        )


class RegistryAway(Refused):
    """The registry named by `registry` is down; the person can ask to be notified when it is back."""

    def __init__(self, registry: str) -> None:
        name = WHO[registry]
        super().__init__(
            "registry_down",
            _("{name} no responde y no podemos revisar sus datos. Intente en unos minutos.").format(name=name),
        )
        self.registry = registry


WHO = {"registro_civil": "El Registro Civil", "sii": "El SII"}
# One in this many unknown companies is treated as if registered without a secret question.
_DECOYS = 4


def question_for(claim: ClaimedIdentity) -> str:
    """Return the code of the question to ask, registered or not; empty for a company that has none on file.

    Which case of the guide applies (PJ, section 3) would reveal which companies are registered. Unknown companies are
    therefore assigned to one of the cases.
    """
    holder = claim.holder()
    if claim.profile == Profile.PERSONA_JURIDICA:
        without = int(keyed_hash("decoy", "without", claim.account)[:8], 16) % _DECOYS == 0
        if without if holder is None else not hasattr(holder, "secret_answer"):
            return ""
    return credentials.question_of(claim.account, holder)


def check_answer(claim: ClaimedIdentity, answer: str, context: RequestContext) -> Holder:
    """Check the secret answer; return the holder. Raises `WrongAnswer`, `TooManyAttempts`, `MinimumDataMissing`."""
    holder = credentials.verify_answer(claim.account, claim.holder(), answer, context, "key.recovery")
    require_minimum_data(holder)
    return holder


def by_answer(holder: Holder, context: RequestContext) -> KeySent:
    """Send a temporary key after the secret answer. Raises `AccountChanged`, `TooManyMessages`."""
    return _send_key(holder, context, "answer")


def check_birth(claim: ClaimedIdentity, birth_date: date, email: str, context: RequestContext) -> Holder:
    """Check birth date and e-mail of someone without a Chilean card; return the holder.

    Raises `NotRecognised`, `TooManyAttempts`, `MinimumDataMissing`.
    """
    holder = proofs.by_birth(claim, birth_date, email, context)
    require_minimum_data(holder)
    return holder


def by_birth(holder: Holder, context: RequestContext) -> KeySent:
    """Send a temporary key after birth date and e-mail. Raises `AccountChanged`, `TooManyMessages`."""
    return _send_key(holder, context, "birth", quota="birth")


def check_representative(claim: ClaimedIdentity, person: Rut, context: RequestContext) -> None:
    """Check with the SII that this person represents this company, registered or not (guide PJ, 3.1, step 5).

    Raises `RegistryAway`, `TooManyAttempts`, and `Refused` if not.
    """
    limits = throttling.network_limits("representative", claim.account, context)
    limits.reserve()
    try:
        represents = sii.represents(person, Rut.parse(claim.identifier), context)
    except RegistryDown:
        limits.take_back()
        raise RegistryAway("sii") from None
    if not represents:
        limits.fail()
        audit.record("key.recovery", context, holder=claim.holder(), outcome="not_representative")
        raise Refused(
            "not_representative",
            _("Según el SII, esta persona no es representante legal de la empresa. Revise el RUT."),
            field="representative",
        )
    limits.release()


def check_card(claim: ClaimedIdentity, run: Rut, serial: str, context: RequestContext) -> Holder:
    """Check the serial number of this RUN's card with Registro Civil; return the claimed person or company.

    The registry is queried whether or not the account exists, so that both cases take the same time.
    """
    limits = throttling.network_limits("serial", str(run), context)
    limits.reserve()
    holder = claim.holder()
    try:
        valid = registro_civil.card_is_valid(run, serial, context)
    except RegistryDown:
        limits.take_back()
        raise RegistryAway("registro_civil") from None
    if not valid or holder is None:
        limits.fail()
        audit.record("key.recovery", context, holder=holder, outcome="wrong_card")
        raise WrongCard
    limits.release()
    return holder


def by_card(holder: Holder, new_email: str, context: RequestContext, representative: str = "") -> KeySent:
    """Send a temporary key after a card check, to a new e-mail address if one is given and the settings allow it.

    This is how the owner of a RUT takes back an account registered by someone else. So everything based on a weaker
    proof is revoked (`credentials.revocation.revoke_proofs`), and a legacy account can no longer be registered. The key
    is sent by e-mail only (guide PJ, 3.1, step 7), regardless of quotas. `representative` is the RUN of a company's
    representative, confirmed by the SII. Raises `AccountChanged`, and `MinimumDataMissing` without any e-mail.
    """
    with transaction.atomic():
        holder = lock(holder)
        if new_email and settings.NEW_EMAIL_AFTER_SERIAL and new_email != holder.email:
            _change_email(holder, new_email, context)
        if not holder.email:
            raise MinimumDataMissing(["email"], holder.profile)
        _settle_identity(holder, representative)
        revocation.revoke_proofs(holder)
        credentials.unlock(holder.account)
        return _send_key(holder, context, "card", by_sms=False, quota="")


def _change_email(holder: Holder, new_email: str, context: RequestContext) -> None:
    """Replace the e-mail address, notify the old one and flag the change for review."""
    variables = {"when": when(), "identifier": holder.display_name, "new_email": masked_email(new_email)}
    if holder.email:
        outbox.send(holder, "email_changed", variables, email=holder.email)
    holder.email, holder.review_contact, holder.updated_at = new_email, True, clock.now()
    holder.save(update_fields=["email", "review_contact", "updated_at"])
    audit.record("holder.email_changed", context, holder=holder, proof="card")


def _settle_identity(holder: Holder, representative: str) -> None:
    """Record what the card has proved. An identity that no registry has confirmed is to be verified anew."""
    unconfirmed = holder.verification in (Verification.REFUSED, Verification.UNVERIFIED)
    if representative:
        Representative.objects.get_or_create(company=holder, run=representative)
        if unconfirmed:  # whoever registered the company may have named someone who does not represent it
            holder.representatives.exclude(run=representative).delete()
    holder.legacy, holder.card_checked_at = False, clock.now()
    holder.verification = Verification.UNVERIFIED if unconfirmed else holder.verification
    holder.save(update_fields=["legacy", "verification", "card_checked_at"])


def tell_when_back(registry: str, email: str, context: RequestContext) -> WillTell:
    """Store a request to be notified, once, when a registry is available again."""
    outcome = WillTell(email=masked_email(email), registry=WHO[registry])
    with transaction.atomic():
        Waiting.objects.create(registry=registry, email=email, language=context.language, created_at=clock.now())
        audit.record("registry.awaited", context, registry=registry)
    return outcome


def _send_key(
    holder: Holder, context: RequestContext, proof: str, *, by_sms: bool = True, quota: str = "recovery"
) -> KeySent:
    """Send a key to the current contact. Raises `AccountChanged` if the account has been recovered in the meantime."""
    with transaction.atomic():
        holder = lock(holder)
        if proof != "birth":  # too weak to trust the browser: birth date and e-mail are known to many
            credentials.remember_browser(holder, context)
        if settings.KEY_DELIVERY == "screen":
            secret, until = _issue_for_screen(holder)
        else:
            secret, until = "", send_temporary_key(holder, by_sms=by_sms, quota=quota)
        mobile = sms_number(holder) if by_sms else ""
        outcome = KeySent(
            email=masked_email(holder.email),
            mobile=masked_phone(mobile) if mobile else "",
            until=until,
            profile=holder.profile,
            proof=proof,
            secret=secret,
        )
        audit.record("key.recovery", context, holder=holder, proof=proof)
    return outcome


def _issue_for_screen(holder: Holder) -> tuple[str, str]:
    """Issue a key to be shown on the page, as in the oldest guide, and notify the holder that one was issued."""
    key, expires = credentials.issue_temporary(holder)
    outbox.send(holder, "key_reset_notice", {"identifier": holder.display_name}, email=holder.email)
    return key, expires.astimezone(clock.SANTIAGO).strftime("%H:%M")
