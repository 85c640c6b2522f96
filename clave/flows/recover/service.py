"""Recover a lost CS. Source: guide "Clave Única SENCE - Persona Natural", section 3; guide PJ, section 3."""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.core import clock, submissions
from clave.core.masking import masked_email, masked_phone
from clave.core.outcome import Outcome, Refused
from clave.core.rut import Rut
from clave.core.visit import Visit
from clave.courier import service as courier
from clave.flows.common import when
from clave.holders.models import Holder
from clave.holders.service import find_person, require_minimum_data
from clave.keys import attempts
from clave.keys import service as keys
from clave.registries import registro_civil
from clave.registries.base import RegistryDown


@dataclass(frozen=True)
class KeySent(Outcome):
    """A temporary key was made. `secret` holds it only when the settings show it on screen."""

    kind: ClassVar[str] = "key_sent"
    email: str
    mobile: str
    until: str


class WrongCard(Refused):
    """The serial is not of a valid card of this RUN, or nobody with this RUN is registered: one answer for both."""

    def __init__(self) -> None:
        super().__init__(
            "wrong_card", _("El número de serie no coincide con una cédula vigente de este RUT."), field="serial"
        )


def question_for(rut: Rut) -> str:
    """Return the code of the question to ask for this RUT, registered or not."""
    return keys.question_of(str(rut), find_person(rut))


def by_answer(rut: Rut, answer: str, visit: Visit) -> KeySent:
    """Check the answer and send a temporary key. Raises `WrongAnswer`, `TooManyAttempts`, `MinimumDataMissing`."""
    holder = find_person(rut)
    try:
        holder = keys.verify_answer(str(rut), holder, answer, visit)
    except Refused as refused:
        audit.record("key.recovery", visit, holder=holder, outcome=refused.code)
        raise
    require_minimum_data(holder)
    return _send_key(holder, visit, "answer")


def check_card(rut: Rut, serial: str, visit: Visit) -> Holder:
    """Check the card's serial with Registro Civil; return the holder.

    The registry is asked whether or not somebody is registered, so that both take the same time.
    """
    tries = attempts.axes("serial", str(rut), visit, attempts.ANSWER)
    tries.check()
    holder = find_person(rut)
    try:
        valid = registro_civil.card_is_valid(rut, serial, visit)
    except RegistryDown:
        raise Refused(
            "registry_down", _("El Registro Civil no responde y no podemos revisar su cédula. Intente en unos minutos.")
        ) from None
    if not valid or holder is None:
        tries.fail()
        audit.record("key.recovery", visit, holder=holder, outcome="wrong_card")
        raise WrongCard
    tries.clear()
    return holder


def by_card(holder: Holder, new_email: str, visit: Visit) -> KeySent:
    """Send a temporary key after a card's serial; to a new e-mail if one is given and the settings allow it.

    With a new e-mail the old address is told, the change is marked for review, and every session ends:
    this is how the owner of a RUT takes it back from whoever registered it.
    """
    if new_email and settings.NEW_EMAIL_AFTER_SERIAL and new_email != holder.email:
        with transaction.atomic():
            told = {"when": when(), "identifier": holder.pretty_identifier, "new_email": masked_email(new_email)}
            if holder.email:
                courier.send(holder, "email_changed", told, email=holder.email)
            # The mobile on file is the other one's too, as far as we know.
            holder.email, holder.mobile, holder.no_mobile = new_email, "", True
            holder.review_contact, holder.updated_at = True, clock.now()
            holder.save(update_fields=["email", "mobile", "no_mobile", "review_contact", "updated_at"])
            holder.sessions.all().delete()
            holder.known_browsers.all().delete()
            audit.record("holder.email_changed", visit, holder=holder, proof="card")
            return _send_key(holder, visit, "card")
    require_minimum_data(holder)
    return _send_key(holder, visit, "card")


def _send_key(holder: Holder, visit: Visit, proof: str) -> KeySent:
    on_screen = settings.KEY_DELIVERY == "screen"
    with transaction.atomic():
        key, expires = keys.issue_temporary(holder)
        until = expires.astimezone(clock.SANTIAGO).strftime("%H:%M")
        outcome = KeySent(
            email=masked_email(holder.email),
            mobile=masked_phone(holder.mobile) if holder.mobile else "",
            until=until,
            secret=key if on_screen else "",
        )
        if on_screen:
            courier.send(holder, "key_reset_notice", {"identifier": holder.pretty_identifier}, email=holder.email)
        else:
            context = {"key": key, "until": until, "seconds": str(settings.TEMPORARY_KEY_SECONDS)}
            courier.send(holder, "temporary_key", context, email=holder.email, mobile=holder.mobile)
        audit.record("key.recovery", visit, holder=holder, proof=proof)
        submissions.finish(visit, outcome)
    return outcome
