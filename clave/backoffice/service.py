"""What an operator does for a holder, each with a reason. Source: flows.md, sections 4 and 9."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.backoffice.models import Deed, Kind, Operator
from clave.core import clock
from clave.core.masking import masked_email
from clave.core.outcome import Refused
from clave.core.visit import Visit
from clave.courier import service as courier
from clave.flows.common import send_temporary_key, when
from clave.holders.models import Holder, Profile
from clave.keys import service as keys

TWO_PERSONS = timedelta(hours=24)
# Whose contact the call centre keeps: everybody else updates it themselves.
CONTACT_KEPT = (Profile.PERSONA_JURIDICA, Profile.FACILITADOR)


@dataclass(frozen=True)
class Why:
    """The reason an operator gives: a code of `Reason` and words or a case number."""

    reason: str
    note: str = ""


class TwoPersons(Refused):
    """Moving a holder's e-mail and sending a key there takes two operators (abuse case 37)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "two_persons",
            _(
                "Usted ya hizo la otra parte en las últimas 24 horas: quien cambia un correo no envía una clave, ni al "
                "revés. Pídalo a otra persona de la mesa de ayuda."
            ),
        )


def note(operator: Operator, holder: Holder, kind: Kind, why: Why, visit: Visit, **detail: Any) -> None:
    """Record what an operator did to a holder. Call inside the use case's transaction."""
    moved = bool(detail.get("moved"))
    Deed.objects.create(
        operator=operator, holder=holder, kind=kind, reason=why.reason, note=why.note, moved=moved, at=clock.now()
    )
    told = {"operator": str(operator.pk), "reason": why.reason, "note": why.note}
    audit.record(f"backoffice.{kind.value}", visit, holder=holder, **told, **detail)


def see(operator: Operator, holder: Holder, why: Why, visit: Visit) -> None:
    """Note that an operator looks at an account, before anything of it is shown (abuse case 36)."""
    with transaction.atomic():
        note(operator, holder, Kind.SEEN, why, visit)


def reveal(operator: Operator, holder: Holder, why: Why, visit: Visit) -> None:
    """Note that an operator sees e-mail and telephones in full."""
    with transaction.atomic():
        note(operator, holder, Kind.REVEALED, why, visit)


def unlock(operator: Operator, holder: Holder, why: Why, visit: Visit) -> None:
    """Forget the failures that make a holder wait."""
    with transaction.atomic():
        keys.unlock(holder.account)
        note(operator, holder, Kind.UNLOCKED, why, visit)


def send_key(operator: Operator, holder: Holder, why: Why, visit: Visit) -> str:
    """Send a temporary key to the contact on file, never to a screen; return until when it serves.

    Raises `TwoPersons`, `TooManyMessages`, and `Refused` where there is no contact or no account to speak of.
    """
    with transaction.atomic():
        _one_at_a_time(holder)
        if _did(operator, holder, kind=Kind.CONTACT, moved=True):
            raise TwoPersons
        if not holder.email:
            raise Refused("no_contact", _("No hay un correo registrado al que enviar la clave."))
        if holder.legacy:
            raise Refused("legacy", _("La cuenta es del sistema antiguo: la persona debe registrarse otra vez."))
        until = send_temporary_key(holder)
        note(operator, holder, Kind.KEY_SENT, why, visit)
    return until


def change_contact(operator: Operator, holder: Holder, data: dict[str, Any], why: Why, visit: Visit) -> None:
    """Record the contact, question and answer that a caller gives for a company (flows.md, section 4, Update).

    The old and the new e-mail are told and the change is marked for review. Raises `TwoPersons`.
    """
    old = holder.email
    moved = old.lower() != data["email"].lower()
    with transaction.atomic():
        _one_at_a_time(holder)
        if moved and _did(operator, holder, kind=Kind.KEY_SENT):
            raise TwoPersons
        holder.email, holder.updated_at = data["email"], clock.now()
        # The agent does not see what is on file: nothing typed changes nothing.
        holder.work_phone = data.get("work_phone") or holder.work_phone
        holder.review_contact = holder.review_contact or moved
        holder.save(update_fields=["email", "work_phone", "review_contact", "updated_at"])
        if data.get("answer") and settings.SECRET_QUESTIONS:
            keys.set_answer(holder, data["question"], data["answer"])
        told = {"when": when(), "identifier": holder.called}
        if moved and old:
            masked = {**told, "new_email": masked_email(holder.email)}
            courier.send(holder, "email_changed", masked, email=old)
        courier.send(holder, "data_updated", told, email=holder.email)
        if moved:
            holder.sessions.all().delete()
        note(operator, holder, Kind.CONTACT, why, visit, moved=moved)


def review(operator: Operator, holder: Holder, why: Why, visit: Visit) -> None:
    """Take the mark away that a change of e-mail had left."""
    with transaction.atomic():
        Holder.objects.filter(pk=holder.pk).update(review_contact=False)
        note(operator, holder, Kind.REVIEWED, why, visit)


def _one_at_a_time(holder: Holder) -> None:
    """Two clicks of one operator at once must not each miss the other."""
    Holder.objects.select_for_update().get(pk=holder.pk)


def _did(operator: Operator, holder: Holder, **what: Any) -> bool:
    since = clock.now() - TWO_PERSONS
    return Deed.objects.filter(operator=operator, holder=holder, at__gt=since, **what).exists()
