"""A holder's contact as the help desk proposes it: it waits until somebody other than its proposer confirms it.

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
    """The proposed contact is in force. `question` is the page where to choose a secret question, if that is open."""

    kind: ClassVar[str] = "contact_confirmed"
    email: str
    profile: str
    question: str = ""


@dataclass(frozen=True)
class ContactRefused(Outcome):
    """The proposed contact was thrown away; what was on file stays."""

    kind: ClassVar[str] = "contact_refused"
    email: str


class NoLongerWaiting(Refused):
    """The change or the link was used, refused or replaced, has expired, or the e-mail on file is another by now."""

    status = 409

    def __init__(self) -> None:
        super().__init__("no_longer_waiting")


class ChangePending(Refused):
    """One change of this holder waits already; it is decided first."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "change_pending",
            _("Ya hay un cambio de contacto que espera confirmación. Confírmelo o rechácelo antes de proponer otro."),
        )


def waiting() -> QuerySet[ContactChange]:
    """Return the changes that may still be confirmed or refused."""
    pending = ContactChange.objects.filter(
        state=ChangeState.PENDING, expires_at__gt=clock.now(), old_email=F("holder__email")
    )
    return pending.filter(Q(holder__recovered_at=None) | Q(created_at__gte=F("holder__recovered_at")))


def waiting_for(holder: Holder) -> ContactChange | None:
    """Return the change that waits for this holder's confirmation."""
    return waiting().filter(holder=holder).first()


def find(code: str) -> ContactChange | None:
    """Return the change whose link holds this code."""
    return waiting().filter(link=fingerprint(code)).select_related("holder").first() if code else None


def locked(holder: Holder) -> Holder:
    """Return the holder anew, its row locked: whatever concerns its contact happens one after the other."""
    return Holder.objects.select_for_update().get(pk=holder.pk)


def propose(holder: Holder, email: str, work_phone: str, operator: str, reason: str, note: str) -> ContactChange:
    """Keep a contact until it is confirmed, and tell the old and the new address.

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
    _tell_proposed(holder, change, code)
    return change


def _tell_proposed(holder: Holder, change: ContactChange, code: str) -> None:
    told = {
        "when": when(),
        "identifier": holder.display_name,
        "until": change.expires_at.astimezone(clock.SANTIAGO).strftime("%d-%m-%Y"),
    }
    new = masked_email(change.email) if change.moves_email else ""
    if holder.email:
        outbox.send(holder, "contact_proposed", {**told, "new_email": new, "code": code}, email=holder.email)
    if change.moves_email:
        outbox.send(holder, "contact_proposed_new", told, email=change.email, quota="desk")


def confirm(
    change: ContactChange,
    proof: str,
    context: RequestContext,
    *,
    operator: str = "",
    representative: str = "",
    question: str = "",
) -> ContactConfirmed:
    """Put a proposed contact in force; end what could be reached through the old one; tell both addresses.

    `proof` is `LINK`, `CARD` or `OPERATOR`; `representative` the RUN of who gave the card, `question` the page to
    offer next. Raises `NoLongerWaiting`.
    """
    with transaction.atomic():
        holder, change = _still_waiting(change)
        old, holder.updated_at = holder.email, clock.now()
        holder.email, holder.work_phone = change.email, change.work_phone or holder.work_phone
        # The owner of the old mailbox has agreed; of the other proofs somebody takes a second look.
        holder.review_contact = holder.review_contact or (change.moves_email and proof != LINK)
        holder.save(update_fields=["email", "work_phone", "review_contact", "updated_at"])
        know_representative(holder, representative)
        _decide(change, ChangeState.APPLIED, proof, operator)
        told = {"when": when(), "identifier": holder.display_name}
        if proof == CARD:
            revocation.revoke_proofs(holder)
        if change.moves_email:
            end_access(holder)
            if old:
                outbox.send(holder, "email_changed", {**told, "new_email": masked_email(holder.email)}, email=old)
        outbox.send(holder, "data_updated", told, email=holder.email)
        audit.record("contact.confirmed", context, holder=holder, proof=proof, operator=operator)
    return ContactConfirmed(email=masked_email(holder.email), profile=holder.profile, question=question)


def refuse(change: ContactChange, proof: str, context: RequestContext, *, operator: str = "") -> ContactRefused:
    """Throw a proposed contact away and tell both addresses. Raises `NoLongerWaiting`."""
    with transaction.atomic():
        holder, change = _still_waiting(change)
        _decide(change, ChangeState.REFUSED, proof, operator)
        told = {"when": when(), "identifier": holder.display_name}
        for address in {change.email, change.old_email} - {""}:
            outbox.send(holder, "contact_refused", told, email=address)
        audit.record("contact.refused", context, holder=holder, proof=proof, operator=operator)
    return ContactRefused(email=masked_email(holder.email) if holder.email else "")


def know_representative(company: Holder, run: str) -> None:
    """Note who has proved, by the SII and the identity card, to represent this company."""
    if run:
        Representative.objects.get_or_create(company=company, run=run)


def end_access(holder: Holder) -> None:
    """End what could be reached through the old contact, and the links under way."""
    revocation.end_access(holder)
    QuestionRenewal.objects.filter(holder=holder, used_at=None).delete()


def forget_over() -> int:
    """Empty the changes that nobody decided in time; return how many."""
    over = ContactChange.objects.filter(state=ChangeState.PENDING, expires_at__lte=clock.now())
    return _close(over, ChangeState.EXPIRED)


def _still_waiting(change: ContactChange) -> tuple[Holder, ContactChange]:
    holder = locked(change.holder)
    found = waiting().filter(pk=change.pk).first()
    if found is None:
        raise NoLongerWaiting
    return holder, found


def _decide(change: ContactChange, state: ChangeState, proof: str, operator: str) -> None:
    _close(ContactChange.objects.filter(pk=change.pk), state, proof=proof, decided_by=operator)


def _close(changes: QuerySet[ContactChange], state: ChangeState, **how: str) -> int:
    return changes.update(state=state, decided_at=clock.now(), email="", old_email="", work_phone="", link="", **how)
