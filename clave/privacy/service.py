"""Requests for correction or deletion, their answers, and the deletion itself. Source: Ley 21.719."""

import secrets
from dataclasses import dataclass
from typing import ClassVar

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clave.attendance.models import ActiveSession, WarningOptOut
from clave.audit import service as audit
from clave.credentials import service as credentials
from clave.credentials.service import WrongKey
from clave.documents import service as documents
from clave.holders.models import Holder, Profile
from clave.holders.service import claim_of
from clave.lib import clock
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.notifications.models import Message
from clave.privacy.models import Answer, Petition, Right
from clave.rce.models import PendingRequest
from clave.selfservice.models import FacilitatorRequest
from clave.sso.logout import tell_of_deletion
from clave.training.models import Enrolment

# Legal time limit for an answer, in days (article 11).
DAYS = 30
PERSONS = (Profile.PERSONA_NATURAL, Profile.MIGRANTE, Profile.FACILITADOR)


@dataclass(frozen=True)
class Petitioned(Outcome):
    """The request awaits an answer."""

    kind: ClassVar[str] = "petitioned"
    right: str
    email: str
    days: int


def check(holder: Holder, right: str, key: str, context: RequestContext) -> None:
    """Check that the holder may make this request, and authenticate them by CS. Raises `Refused`, `WrongKey`."""
    if right == Right.DELETION and holder.profile not in PERSONS:
        message = _("La ley permite eliminar datos de personas, no de empresas. Puede pedir corregirlos.")
        raise Refused("no_person", message, field="right")
    try:
        if credentials.try_key(claim_of(holder), key, context, "privacy.asked").temporary:
            raise WrongKey
    except WrongKey as refused:
        refused.message, refused.field = _("La Clave SENCE no es correcta."), "key"
        raise


def ask(holder: Holder, right: str, words: str, context: RequestContext) -> Petitioned:
    """Store a holder's request for correction or deletion. Raises `Refused` if one is already pending."""
    outcome = Petitioned(right=right, email=masked_email(holder.email), days=DAYS)
    try:
        with transaction.atomic():
            if holder.recovered_at:
                void = Petition.objects.filter(holder=holder, right=right, created_at__lt=holder.recovered_at)
                void.filter(state=Answer.PENDING).update(state=Answer.REFUSED, decided_at=clock.now())
            Petition.objects.create(holder=holder, right=right, words=words, created_at=clock.now())
            variables = {"identifier": holder.display_name, "days": str(DAYS)}
            outbox.send(holder, "petition_received", variables, email=holder.email)
            audit.record("privacy.asked", context, holder=holder, right=right)
    except IntegrityError:
        raise Refused(
            "already_asked", _("Ya tiene una solicitud igual en revisión. Le responderemos por correo."), field="right"
        ) from None
    return outcome


class Answered(Refused):
    """Someone else has already answered this request."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_answered", _("Otra persona ya respondió esta solicitud."))


class AskedBefore(Refused):
    """The owner has recovered the account since the request, which may therefore be an impostor's."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "asked_before",
            _("El titular recuperó su cuenta después de esta solicitud. Rechácela: el titular puede pedirla otra vez."),
        )


def is_void(petition: Petition, holder: Holder) -> bool:
    """Return whether a request was made before the owner recovered the account (abuse case 50)."""
    current = Holder.objects.select_for_update().get(pk=holder.pk)
    return current.recovered_at is not None and petition.created_at < current.recovered_at


def refuse(petition: Petition, reason: str, operator: str, context: RequestContext) -> None:
    """Refuse a request, sending the holder the reason. Raises `Answered`."""
    _answer(petition, Answer.REFUSED, reason, operator, context)


def grant(petition: Petition, message: str, operator: str, context: RequestContext) -> None:
    """Grant a request; a deletion is carried out at once. Raises `Answered`, and `Refused` while a session is open.

    Raises `AskedBefore` if the owner has recovered the account since the request.
    """
    with transaction.atomic():
        if petition.holder and is_void(petition, petition.holder):
            raise AskedBefore
        _answer(petition, Answer.GRANTED, message, operator, context)
        if petition.right == Right.DELETION and petition.holder:
            erase(petition.holder, context, operator)
            Petition.objects.filter(pk=petition.pk).update(words="", holder=None)


def _answer(petition: Petition, state: Answer, message: str, operator: str, context: RequestContext) -> None:
    holder = petition.holder
    with transaction.atomic():
        pending = Petition.objects.filter(pk=petition.pk, state=Answer.PENDING)
        if not pending.update(state=state, answer=message, decided_by=operator, decided_at=clock.now()):
            raise Answered
        variables = {"right": str(petition.get_right_display()), "state": str(Answer(state).label), "answer": message}
        if holder and holder.email:
            # Not linked to the holder: a deletion also deletes the holder's messages, but this one must still be sent.
            outbox.send(None, "petition_answered", variables, email=holder.email, language=holder.language)
        audit.record("privacy.answered", context, holder=holder, outcome=state.value, operator=operator)


def erase(holder: Holder, context: RequestContext, operator: str = "") -> str:
    """Delete a person's data; return the pseudonym under which attendance is kept, empty if there is none.

    Kept, because tax law requires it: session openings, endings and corrections under a random pseudonym that cannot be
    traced back; sworn statements, which must remain verifiable; the audit trail, whose subject is a random number that
    no longer refers to anyone. What other systems were let know goes too, and they are told that the session is over;
    what they have received is theirs to answer for. Raises `Refused` while the person has a session open.
    """
    run = holder.identifier if holder.profile == Profile.PERSONA_NATURAL else ""
    if run and ActiveSession.objects.filter(enrolment__run=run).exists():
        raise Refused("session_open", _("La persona tiene una sesión de asistencia abierta. Espere a que termine."))
    with transaction.atomic():
        pseudonym = _pseudonymise_attendance(run) if run else ""
        if holder.profile == Profile.FACILITADOR:
            _delete_requests(holder.identifier)
        Message.objects.filter(holder=str(holder.pk)).delete()
        tell_of_deletion(holder)
        audit.record("privacy.erased", context, holder=holder, operator=operator)
        holder.delete()
    return pseudonym


def new_pseudonym() -> str:
    """Return a random pseudonym to replace a RUN; no RUN begins with its letter."""
    return f"X{secrets.token_hex(6)[:11]}"


def _pseudonymise_attendance(run: str) -> str:
    WarningOptOut.objects.filter(run=run).delete()
    PendingRequest.objects.filter(fields__RunAlumno=run).delete()
    pseudonym = new_pseudonym()
    return pseudonym if Enrolment.objects.filter(run=run).update(run=pseudonym) else ""


def _delete_requests(identifier: str) -> None:
    for request in FacilitatorRequest.objects.filter(identifier=identifier).select_related("affidavit", "identity"):
        papers = [paper for paper in (request.affidavit, request.identity) if paper]
        request.delete()
        documents.throw_away(*papers)
