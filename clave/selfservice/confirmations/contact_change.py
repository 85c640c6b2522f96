"""Contact changes proposed by the help desk: someone other than the proposer must confirm them.

Source: mission.md, sections 4 and 9; decision 0026.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import revocation
from clave.holders.models import Holder, Representative
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import when
from clave.selfservice.models import ChangeState, ContactChange, QuestionRenewal

LIFE = timedelta(days=7)
LINK, CARD, OPERATOR = "link", "card", "operator"


@dataclass(frozen=True)
class ContactConfirmed(Outcome):
    """The proposed contact was applied. `question` is the page to choose a secret question, if that is allowed."""

    kind: ClassVar[str] = "contact_confirmed"
    email: str
    profile: str
    question: str = ""


@dataclass(frozen=True)
class ContactRefused(Outcome):
    """The proposed contact was discarded; the one on file is unchanged."""

    kind: ClassVar[str] = "contact_refused"
    email: str


class NoLongerWaiting(Refused):
    """The change or link was used, refused or replaced, has expired, or the e-mail on file has changed."""

    status = 409

    def __init__(self) -> None:
        super().__init__("no_longer_waiting")


class ChangePending(Refused):
    """Another change of this holder is pending and must be decided first."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "change_pending",
            _("Ya hay un cambio de contacto que espera confirmación. Confírmelo o rechácelo antes de proponer otro."),
        )


def waiting() -> QuerySet[ContactChange]:
    """Return the changes that can still be confirmed or refused."""
    pending = ContactChange.objects.filter(
        state=ChangeState.PENDING, expires_at__gt=clock.now(), old_email=F("holder__email")
    )
    return pending.filter(Q(holder__recovered_at=None) | Q(created_at__gte=F("holder__recovered_at")))


def waiting_for(holder: Holder) -> ContactChange | None:
    """Return this holder's pending change."""
    return waiting().filter(holder=holder).first()


def find(code: str) -> ContactChange | None:
    """Return the change whose link contains this code."""
    return waiting().filter(link=fingerprint(code)).select_related("holder").first() if code else None


def locked(holder: Holder) -> Holder:
    """Return the holder, reloaded with its row locked, to serialise everything that concerns its contact."""
    return Holder.objects.select_for_update().get(pk=holder.pk)


def propose(holder: Holder, email: str, work_phone: str, operator: str, reason: str, note: str) -> ContactChange:
    """Store a new contact pending confirmation, and notify the old and the new address.

    Call inside the use case's transaction with a `locked` holder. Raises `ChangePending`, `TooManyMessages`, and
    `Refused` if nothing would change.
    """
    moves = email.lower() != holder.email.lower()
    if not moves and work_phone in ("", holder.work_phone):
        raise Refused("nothing_new", _("Estos datos ya están registrados: no hay nada que cambiar."))
    if waiting_for(holder):
        raise ChangePending
    _close(ContactChange.objects.filter(holder=holder, state=ChangeState.PENDING), ChangeState.EXPIRED)
    code, now = secrets.token_urlsafe(24), clock.now()
    change = ContactChange.objects.create(
        holder=holder,
        email=email if moves else holder.email,
        work_phone=work_phone,
        old_email=holder.email,
        moves_email=moves,
        link=fingerprint(code) if holder.email else "",
        proposed_by=operator,
        reason=reason,
        note=note,
        created_at=now,
        expires_at=now + LIFE,
    )
    _notify_proposed(holder, change, code)
    return change


def _notify_proposed(holder: Holder, change: ContactChange, code: str) -> None:
    variables = {
        "when": when(),
        "identifier": holder.display_name,
        "until": change.expires_at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y"),
    }
    new = masked_email(change.email) if change.moves_email else ""
    if holder.email:
        outbox.send(holder, "contact_proposed", {**variables, "new_email": new, "code": code}, email=holder.email)
    if change.moves_email:
        outbox.send(holder, "contact_proposed_new", variables, email=change.email, quota="desk")


def confirm(
    change: ContactChange,
    proof: str,
    context: RequestContext,
    *,
    operator: str = "",
    representative: str = "",
    question: str = "",
) -> ContactConfirmed:
    """Apply a proposed contact, end access obtained through the old one and notify both addresses.

    `proof` is `LINK`, `CARD` or `OPERATOR`; `representative` the RUN of the card's owner, `question` the page to offer
    next. Raises `NoLongerWaiting`.
    """
    with transaction.atomic():
        holder, change = _still_waiting(change)
        old, holder.updated_at = holder.email, clock.now()
        holder.email, holder.work_phone = change.email, change.work_phone or holder.work_phone
        # The link proves that the owner of the old mailbox agrees; other proofs are flagged for review.
        holder.review_contact = holder.review_contact or (change.moves_email and proof != LINK)
        holder.save(update_fields=["email", "work_phone", "review_contact", "updated_at"])
        know_representative(holder, representative)
        _decide(change, ChangeState.APPLIED, proof, operator)
        variables = {"when": when(), "identifier": holder.display_name}
        if proof == CARD:
            revocation.revoke_proofs(holder)
        if change.moves_email:
            end_access(holder)
            if old:
                outbox.send(holder, "email_changed", {**variables, "new_email": masked_email(holder.email)}, email=old)
        outbox.send(holder, "data_updated", variables, email=holder.email)
        audit.record("contact.confirmed", context, holder=holder, proof=proof, operator=operator)
    return ContactConfirmed(email=masked_email(holder.email), profile=holder.profile, question=question)


def refuse(change: ContactChange, proof: str, context: RequestContext, *, operator: str = "") -> ContactRefused:
    """Discard a proposed contact and notify both addresses. Raises `NoLongerWaiting`."""
    with transaction.atomic():
        holder, change = _still_waiting(change)
        _decide(change, ChangeState.REFUSED, proof, operator)
        variables = {"when": when(), "identifier": holder.display_name}
        for address in {change.email, change.old_email} - {""}:
            outbox.send(holder, "contact_refused", variables, email=address)
        audit.record("contact.refused", context, holder=holder, proof=proof, operator=operator)
    return ContactRefused(email=masked_email(holder.email) if holder.email else "")


def know_representative(company: Holder, run: str) -> None:
    """Store a representative confirmed by the SII and by identity card."""
    if run:
        Representative.objects.get_or_create(company=company, run=run)


def end_access(holder: Holder) -> None:
    """End access obtained through the old contact, and invalidate outstanding links."""
    revocation.end_access(holder)
    QuestionRenewal.objects.filter(holder=holder, used_at=None).delete()


def forget_over() -> int:
    """Erase the changes that nobody decided in time; return their number."""
    expired = ContactChange.objects.filter(state=ChangeState.PENDING, expires_at__lte=clock.now())
    return _close(expired, ChangeState.EXPIRED)


def _still_waiting(change: ContactChange) -> tuple[Holder, ContactChange]:
    holder = locked(change.holder)
    pending = waiting().filter(pk=change.pk).first()
    if pending is None:
        raise NoLongerWaiting
    return holder, pending


def _decide(change: ContactChange, state: ChangeState, proof: str, operator: str) -> None:
    _close(ContactChange.objects.filter(pk=change.pk), state, proof=proof, decided_by=operator)


def _close(changes: QuerySet[ContactChange], state: ChangeState, **decision: str) -> int:
    erased = {"email": "", "old_email": "", "work_phone": "", "link": ""}
    return changes.update(state=state, decided_at=clock.now(), **erased, **decision)
