"""Renewal of the secret question: started by the help desk, which never learns the answer (ASVS 5.0, 6.4.6).

Source: mission.md, section 4, Update; decision 0026.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import service as credentials
from clave.holders.models import Holder
from clave.lib import clock
from clave.lib.crypto import fingerprint
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import when
from clave.selfservice.confirmations.contact_change import CARD, LINK, NoLongerWaiting, know_representative, locked
from clave.selfservice.models import QuestionRenewal

LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class QuestionRenewed(Outcome):
    """The holder has chosen a question and an answer; a notice is sent to the e-mail on file."""

    kind: ClassVar[str] = "question_renewed"
    email: str
    profile: str


def start(holder: Holder, operator: str) -> None:
    """Send a link to the e-mail on file; earlier links stop working.

    Call inside the use case's transaction with a `locked` holder. Raises `TooManyMessages`, and `Refused` without an
    e-mail or where secret questions are off.
    """
    if not settings.SECRET_QUESTIONS:
        raise Refused("questions_off", _("Esta instalación no usa preguntas secretas."))
    if not holder.email:
        raise Refused("no_contact", _("No hay un correo registrado al que enviar el enlace."))
    QuestionRenewal.objects.filter(holder=holder, used_at=None).delete()
    code, now = secrets.token_urlsafe(24), clock.now()
    renewal = QuestionRenewal.objects.create(
        holder=holder,
        email=holder.email,
        link=fingerprint(code),
        started_by=operator,
        created_at=now,
        expires_at=now + LIFE,
    )
    until = renewal.expires_at.astimezone(clock.SANTIAGO).strftime("%H:%M")
    variables = {
        "identifier": holder.display_name,
        "code": code,
        "until": until,
        "seconds": str(int(LIFE.total_seconds())),
    }
    outbox.send(holder, "question_renewal", variables, email=holder.email)


def find(code: str) -> QuestionRenewal | None:
    """Return the renewal whose link contains this code."""
    return _open().filter(link=fingerprint(code)).select_related("holder").first() if code else None


def is_open(pk: int) -> bool:
    """Return whether this renewal's link may still be used."""
    return _open().filter(pk=pk).exists()


def renew(
    holder: Holder,
    question: str,
    answer: str,
    context: RequestContext,
    *,
    renewal: int | None = None,
    representative: str = "",
) -> QuestionRenewed:
    """Set question and answer, only once for each `renewal` link, and notify the holder.

    Without `renewal` the proof was the card of `representative`, a RUN. Raises `NoLongerWaiting`, `CommonAnswer`.
    """
    with transaction.atomic():
        holder = locked(holder)
        if renewal is not None and not _open().filter(pk=renewal, holder=holder).exists():
            raise NoLongerWaiting
        # Whichever proof was used, all outstanding links become invalid.
        QuestionRenewal.objects.filter(holder=holder, used_at=None).update(used_at=clock.now())
        know_representative(holder, representative)
        credentials.set_answer(holder, question, answer)
        credentials.unlock(holder.account)
        outcome = QuestionRenewed(email=masked_email(holder.email) if holder.email else "", profile=holder.profile)
        variables = {"when": when(), "identifier": holder.display_name}
        outbox.send(holder, "question_renewed", variables, email=holder.email)
        audit.record("question.renewed", context, holder=holder, proof=CARD if renewal is None else LINK)
    return outcome


def forget_over() -> int:
    """Delete expired renewals; return their number."""
    return QuestionRenewal.objects.filter(expires_at__lt=clock.now()).delete()[0]


def _open() -> QuerySet[QuestionRenewal]:
    unused = QuestionRenewal.objects.filter(used_at=None, expires_at__gt=clock.now(), email=F("holder__email"))
    return unused.filter(Q(holder__recovered_at=None) | Q(created_at__gte=F("holder__recovered_at")))
