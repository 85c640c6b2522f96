"""What an operator does for a holder, each with a reason. Source: mission.md, sections 4 and 9."""

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
# Whose contact the call centre keeps: everybody else updates it themselves.
CONTACT_KEPT = (Profile.PERSONA_JURIDICA, Profile.FACILITADOR)
# What sends something to the contact on file, and what concerns which contact that is.
SENDS = (Kind.KEY_SENT, Kind.QUESTION)
MOVES = (Kind.CONTACT, Kind.CONFIRMED)


@dataclass(frozen=True)
class Why:
    """The reason an operator gives: a code of `Reason` and words or a case number."""

    reason: str
    note: str = ""


class TwoPersons(Refused):
    """Moving a holder's e-mail and sending something there takes two operators (abuse case 37)."""

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
    """This operator has had a part in it, so that another one must look (abuse case 65)."""

    status = 403

    def __init__(self) -> None:
        super().__init__(
            "needs_another",
            _("Usted ya tuvo parte en esto, o quien tuvo parte le dio hace poco su cuenta. Pídalo a otra persona."),
        )


def record_action(
    operator: Operator, holder: Holder, kind: Kind, why: Why, context: RequestContext, **detail: Any
) -> None:
    """Record what an operator did to a holder. Call inside the use case's transaction."""
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
    told = {"operator": str(operator.pk), "reason": why.reason, "note": why.note}
    audit.record(f"backoffice.{kind.value}", context, holder=holder, **told, **detail)


def see(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Note that an operator looks at an account, before anything of it is shown (abuse case 36)."""
    with transaction.atomic():
        record_action(operator, holder, Kind.SEEN, why, context)


def reveal(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Note that an operator sees e-mail and telephones in full."""
    with transaction.atomic():
        record_action(operator, holder, Kind.REVEALED, why, context)


def unlock(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Forget the failures that make a holder wait; one operator does so once in 24 hours.

    Otherwise an operator could guess in another window and give back the tries as often as they run out. Raises
    `NeedsAnother`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _did(operator, holder, kind=Kind.UNLOCKED):
            raise NeedsAnother
        credentials.unlock(holder.account)
        record_action(operator, holder, Kind.UNLOCKED, why, context)


def send_key(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> str:
    """Send a temporary key to the contact on file, never to a screen; return until when it serves.

    Raises `TwoPersons`, `TooManyMessages`, and `Refused` where there is no contact or no account to speak of.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _had_a_part_in_moving(operator, holder):
            raise TwoPersons
        if not holder.email:
            raise Refused("no_contact", _("No hay un correo registrado al que enviar la clave."))
        if holder.legacy:
            raise Refused("legacy", _("La cuenta es del sistema antiguo: la persona debe registrarse otra vez."))
        until = send_temporary_key(holder, quota="desk")
        record_action(operator, holder, Kind.KEY_SENT, why, context)
    return until


def start_question(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Send the holder a link to choose another secret question (mission.md, section 4, Update).

    Neither the link nor the answer is ever shown here. Raises `TwoPersons`, `TooManyMessages`, `Refused`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        if _had_a_part_in_moving(operator, holder):
            raise TwoPersons
        question_renewal.start(holder, str(operator.pk))
        record_action(operator, holder, Kind.QUESTION, why, context)


def propose_contact(operator: Operator, holder: Holder, data: CleanedData, why: Why, context: RequestContext) -> None:
    """Keep the contact that a caller gives until somebody else confirms it (mission.md, section 4, Update).

    Raises `TwoPersons`, `ChangePending`, `TooManyMessages`, `Refused`.
    """
    with transaction.atomic():
        holder = contact_change.locked(holder)
        moved = holder.email.lower() != data["email"].lower()
        if moved and _did(operator, holder, kind__in=SENDS):
            raise TwoPersons
        # The agent does not see what is on file: nothing typed changes nothing.
        phone = data.get("work_phone") or ""
        contact_change.propose(holder, data["email"], phone, str(operator.pk), why.reason, why.note)
        record_action(operator, holder, Kind.CONTACT, why, context, moved=moved)


def confirm_contact(operator: Operator, change: ContactChange, why: Why, context: RequestContext) -> None:
    """Put a contact in force that another operator proposed. Raises `NeedsAnother`, `TwoPersons`, `NoLongerWaiting`."""
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
    """Throw a proposed contact away, one's own too: what is on file stays. Raises `NoLongerWaiting`."""
    with transaction.atomic():
        contact_change.refuse(change, contact_change.OPERATOR, context, operator=str(operator.pk))
        record_action(operator, change.holder, Kind.DECLINED, why, context)


def review(operator: Operator, holder: Holder, why: Why, context: RequestContext) -> None:
    """Take the mark away that a change of e-mail had left. Raises `NeedsAnother` for who had a part in it."""
    with transaction.atomic():
        holder = contact_change.locked(holder)
        require_no_part(operator, holder)
        Holder.objects.filter(pk=holder.pk).update(review_contact=False)
        record_action(operator, holder, Kind.REVIEWED, why, context)


def require_no_part(operator: Operator, holder: Holder) -> None:
    """Raise `NeedsAnother` for who proposed or confirmed the newest contact, or acted on the account today."""
    newest = ContactChange.objects.filter(holder=holder, state=ChangeState.APPLIED).order_by("-decided_at").first()
    had_part = newest is not None and str(operator.pk) in (newest.proposed_by, newest.decided_by)
    if had_part or _did(operator, holder, kind__in=(*SENDS, *MOVES, Kind.UNLOCKED)):
        raise NeedsAnother


def _had_a_part_in_moving(operator: Operator, holder: Holder) -> bool:
    """Say whether this operator moved the e-mail in the last 24 hours, or proposed a move that took effect in them."""
    since = clock.now() - TWO_PERSONS
    lately = ContactChange.objects.filter(holder=holder, state=ChangeState.APPLIED, decided_at__gt=since)
    proposed = lately.filter(moves_email=True, proposed_by=str(operator.pk)).exists()
    return proposed or _did(operator, holder, kind__in=MOVES, moved=True)


def _did(operator: Operator, holder: Holder, **what: object) -> bool:
    since = clock.now() - TWO_PERSONS
    return OperatorAction.objects.filter(operator=operator, holder=holder, at__gt=since, **what).exists()
