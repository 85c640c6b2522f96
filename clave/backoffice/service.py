"""Operators' actions on accounts, each with a reason. Source: mission.md, sections 4 and 9."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.backoffice import operator_changes
from clave.backoffice.models import Kind, Operator, OperatorAction
from clave.credentials import service as credentials
from clave.holders.models import Holder, Profile
from clave.lib import clock
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.selfservice.common import send_temporary_key
from clave.selfservice.confirmations import contact_change, question_renewal
from clave.selfservice.models import ChangeState, ContactChange
from clave.web.forms import CleanedData

TWO_PERSONS = timedelta(hours=24)
# Profiles whose contact is maintained by the call centre; all others update it themselves.
CONTACT_KEPT = (Profile.PERSONA_JURIDICA, Profile.FACILITADOR)
# Actions that send something to the contact on file, and actions that change that contact.
SENDS = (Kind.KEY_SENT, Kind.QUESTION)
MOVES = (Kind.CONTACT, Kind.CONFIRMED)


@dataclass(frozen=True)
class Why:
    """The reason given by an operator: a code of `Reason`, and an explanation or case number."""

    reason: str
    note: str = ""


class TwoPersons(Refused):
    """Changing a holder's e-mail and sending something to it requires two operators (abuse case 37)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "two_persons",
            _(
                "Usted ya hizo la otra parte en las últimas 24 horas: quien cambia un correo no envía una clave, ni al "
                "revés. Pídalo a otra persona de la mesa de ayuda."
            ),
        )


class NeedsAnother(Refused):
    """This operator has been involved, so another one must decide (abuse case 65)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "needs_another",
            _("Usted ya tuvo parte en esto, o quien tuvo parte le dio hace poco su cuenta. Pídalo a otra persona."),
        )


@transaction.atomic
def record_action(
    operator: Operator, holder: Holder, kind: Kind, why: Why, context: RequestContext, **detail: Any
) -> None:
    """Record an operator's action on an account. Call inside the use case's transaction."""
    moved = bool(detail.get("moved"))
    OperatorAction.objects.create(
        operator=operator,
        holder=holder,
        kind=kind,
        reason=why.reason,
        note=why.note,
        moved=moved,
        at=clock.now(),
    )
    common = {"operator": str(operator.pk), "reason": why.reason, "note": why.note}
    audit.record(f"backoffice.{kind.value}", context, holder=holder, **common, **detail)


def see(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Record that an operator opens an account, before anything about it is shown (abuse case 36)."""
    with transaction.atomic():
        record_action(operator, holder, Kind.SEEN, why, context)


def reveal(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Record that an operator views e-mail and telephone numbers in full."""
    with transaction.atomic():
        record_action(operator, holder, Kind.REVEALED, why, context)


def unlock(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Reset the failed attempts that lock an account; an operator can do so once in 24 hours.

    Otherwise an operator could guess the key in another window and reset the attempts whenever they run out. Raises
    `NeedsAnother`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _did(operator, holder, kind=Kind.UNLOCKED):
            raise NeedsAnother
        credentials.unlock(holder.account)
        record_action(operator, holder, Kind.UNLOCKED, why, context)


def send_key(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> str:
    """Send a temporary key to the contact on file, never to a screen; return when it expires.

    Raises `TwoPersons`, `TooManyMessages`, and `Refused` without an e-mail on file or for a legacy account.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _took_part_in_email_change(operator, holder):
            raise TwoPersons
        if not holder.email:
            raise Refused("no_contact", _("No hay un correo registrado al que enviar la clave."))
        if holder.legacy:
            raise Refused("legacy", _("La cuenta es del sistema antiguo: la persona debe registrarse otra vez."))
        until = send_temporary_key(holder, quota="desk")
        record_action(operator, holder, Kind.KEY_SENT, why, context)
    return until


def start_question(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Send the holder a link to choose a new secret question (mission.md, section 4, Update).

    Neither the link nor the answer is ever shown to operators. Raises `TwoPersons`, `TooManyMessages`, `Refused`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _took_part_in_email_change(operator, holder):
            raise TwoPersons
        question_renewal.start(holder, str(operator.pk))
        record_action(operator, holder, Kind.QUESTION, why, context)


def propose_contact(operator: Operator, holder: Holder, data: CleanedData, why: Why, context: RequestContext) -> None:
    """Propose the contact given by a caller, pending someone else's confirmation (mission.md, section 4, Update).

    Raises `TwoPersons`, `ChangePending`, `TooManyMessages`, `Refused`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        moved = holder.email.lower() != data["email"].lower()
        if moved and _did(operator, holder, kind__in=SENDS):
            raise TwoPersons
        # The agent does not see the number on file, so an empty field keeps it.
        phone = data.get("work_phone") or ""
        contact_change.propose(holder, data["email"], phone, str(operator.pk), why.reason, why.note)
        record_action(operator, holder, Kind.CONTACT, why, context, moved=moved)


def confirm_contact(operator: Operator, change: ContactChange, why: Why, context: RequestContext) -> None:
    """Apply a contact proposed by another operator. Raises `NeedsAnother`, `TwoPersons`, `NoLongerWaiting`."""
    with transaction.atomic():
        holder = contact_change.locked(change.holder)
        proposer = Operator.objects.filter(pk=change.proposed_by, active=True).first()
        if proposer is None or proposer.pk == operator.pk or operator_changes.are_linked(operator, proposer):
            raise NeedsAnother
        if change.moves_email and _did(operator, holder, kind__in=SENDS):
            raise TwoPersons
        contact_change.confirm(change, contact_change.OPERATOR, context, operator=str(operator.pk))
        record_action(operator, holder, Kind.CONFIRMED, why, context, moved=change.moves_email)


def decline_contact(operator: Operator, change: ContactChange, why: Why, context: RequestContext) -> None:
    """Discard a proposed contact; proposers may withdraw their own. Raises `NoLongerWaiting`."""
    with transaction.atomic():
        contact_change.refuse(change, contact_change.OPERATOR, context, operator=str(operator.pk))
        record_action(operator, change.holder, Kind.DECLINED, why, context)


def review(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Clear the review flag set by a change of e-mail. Raises `NeedsAnother` for an operator involved in it."""
    with transaction.atomic():
        holder = contact_change.locked(holder)
        require_no_part(operator, holder)
        Holder.objects.filter(pk=holder.pk).update(review_contact=False)
        record_action(operator, holder, Kind.REVIEWED, why, context)


def require_no_part(operator: Operator, holder: Holder) -> None:
    """Raise `NeedsAnother` if the operator proposed or confirmed the latest contact change or acted on it recently.

    Recent actions are those of the last 24 hours that send something, change the contact or unlock the account.
    """
    latest = ContactChange.objects.filter(holder=holder, state=ChangeState.APPLIED).order_by("-decided_at").first()
    took_part = latest is not None and str(operator.pk) in (latest.proposed_by, latest.decided_by)
    if took_part or _did(operator, holder, kind__in=(*SENDS, *MOVES, Kind.UNLOCKED)):
        raise NeedsAnother


def _took_part_in_email_change(operator: Operator, holder: Holder) -> bool:
    """Return whether this operator changed the e-mail in the last 24 hours or proposed a change applied since."""
    since = clock.now() - TWO_PERSONS
    recent = ContactChange.objects.filter(holder=holder, state=ChangeState.APPLIED, decided_at__gt=since)
    proposed = recent.filter(moves_email=True, proposed_by=str(operator.pk)).exists()
    return proposed or _did(operator, holder, kind__in=MOVES, moved=True)


def _did(operator: Operator, holder: Holder, **what: object) -> bool:
    since = clock.now() - TWO_PERSONS
    return OperatorAction.objects.filter(operator=operator, holder=holder, at__gt=since, **what).exists()
