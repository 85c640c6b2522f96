"""Companies' requests for a foreign facilitator's CS, decided by a reviewer.

Source: mission.md, section 6; FAQ of the LCE.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clave.audit import service as audit
from clave.credentials import service as credentials
from clave.documents import service as documents
from clave.documents.models import Document
from clave.holders.models import Holder, Profile, Verification
from clave.holders.service import ClaimedIdentity, find, lock, require_minimum_data
from clave.lib import clock, isolated_process
from clave.lib.masking import masked_email
from clave.lib.outcome import Outcome, Refused
from clave.lib.request_context import RequestContext
from clave.notifications import outbox
from clave.selfservice.common import apply_identity, send_temporary_key
from clave.selfservice.models import Decision, FacilitatorRequest
from clave.web.forms import CleanedData


@dataclass(frozen=True)
class RequestFiled(Outcome):
    """The request, identified by its folio, awaits a reviewer."""

    kind: ClassVar[str] = "request_filed"
    folio: str
    email: str


@dataclass(frozen=True)
class FacilitatorKeySent(Outcome):
    """A temporary key was sent to the facilitator."""

    kind: ClassVar[str] = "facilitator_key_sent"
    email: str
    until: str


class Decided(Refused):
    """Another reviewer has already decided this request."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_decided", _("Otra persona ya resolvió esta solicitud."))


class AskedBefore(Refused):
    """The company has recovered its account since the request, which may therefore have been made by an impostor."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "asked_before",
            _("La empresa recuperó su cuenta después de esta solicitud. Rechácela: la empresa puede pedirla otra vez."),
        )


def prove_company(claim: ClaimedIdentity, key: str, context: RequestContext) -> Holder:
    """Authenticate a company that may make a request. Raises `WrongKey`, `TooManyAttempts`, `MinimumDataMissing`."""
    proof = credentials.try_key(claim, key, context, "facilitator.asked")
    if proof.temporary:
        raise Refused(
            "temporary_key",
            _("Esta clave es temporal: solo sirve para crear una clave nueva en «Cambiar CS»."),
            field="key",
        )
    if proof.holder.verification == Verification.REFUSED:
        raise Refused("identity_refused")
    require_minimum_data(proof.holder)
    return proof.holder


def letter(company: Holder, representative: str) -> bytes:
    """Return the affidavit to sign, a .docx with the company's data. Raises `CalledProcessError`, `TimeoutError`."""
    person = company.representatives.filter(run=representative).first()
    values = {
        "company": company.names,
        "company_rut": company.pretty_identifier,
        "address": company.address_line,
        "representative": person.name if person else "",
        "representative_run": person.pretty_run if person else "",
        "date": clock.today().strftime("%d-%m-%Y"),
    }
    process = isolated_process.run(
        "clave.selfservice.facilitators.letter", content=json.dumps(values).encode(), timeout=30
    )
    process.check_returncode()
    return process.stdout


def describe(data: CleanedData) -> FacilitatorRequest:
    """Return an unsaved request for the person described by `data`. Raises `Refused` if already registered."""
    existing = find(Profile.FACILITADOR, data["identifier"])
    if existing and not existing.legacy:
        raise Refused(
            "already_registered", _("Este facilitador ya tiene Clave SENCE. Puede recuperarla."), field="document"
        )
    declared = Holder()
    apply_identity(declared, data)
    return FacilitatorRequest(
        identifier=data["identifier"],
        names=declared.names,
        surnames=declared.surnames,
        sex=declared.sex,
        birth_date=data["birth_date"],
        country=declared.country,
        children=data["children"],
        email=data["email"],
        question=data.get("question", ""),
        answer_hash=credentials.answer_hash(data["answer"]) if data.get("answer") else "",
        created_at=clock.now(),
    )


def file_request(
    facilitator_request: FacilitatorRequest,
    company: Holder,
    representative: str,
    papers: tuple[Document, Document],
    context: RequestContext,
) -> RequestFiled:
    """Store the request with affidavit and identity document; send the company its folio. Raises `Refused`."""
    facilitator_request.company, facilitator_request.representative = company, representative
    facilitator_request.affidavit, facilitator_request.identity = papers
    try:
        with transaction.atomic():
            facilitator_request.save(force_insert=True)
            for paper in papers:
                documents.take(paper)
            outcome = RequestFiled(folio=facilitator_request.folio, email=masked_email(company.email))
            outbox.send(company, "facilitator_asked", {"folio": facilitator_request.folio}, email=company.email)
            audit.record("facilitator.asked", context, holder=company, folio=facilitator_request.folio)
    except IntegrityError:
        raise Refused(
            "already_asked", _("Ya hay una solicitud en revisión para este documento."), field="document"
        ) from None
    return outcome


def find_request(folio: str, company: str = "") -> FacilitatorRequest | None:
    """Return the request with this folio; with `company`, a stored RUT, only that company's."""
    number, _dash, _year = folio.strip().partition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 15):
        return None
    related = FacilitatorRequest.objects.select_related("company", "affidavit", "identity")
    candidate = related.filter(pk=int(number)).first()
    matches = candidate and candidate.folio == folio.strip() and company in ("", candidate.company.identifier)
    return candidate if matches else None


def approve(facilitator_request: FacilitatorRequest, operator: str, context: RequestContext) -> Holder:
    """Create the facilitator's account, send the facilitator a temporary key and notify the company. Raises `Decided`.

    Raises `AskedBefore` if the company has recovered its account since the request.
    """
    with transaction.atomic():
        recovered_at = Holder.objects.values_list("recovered_at", flat=True).get(pk=facilitator_request.company_id)
        if recovered_at and facilitator_request.created_at < recovered_at:
            raise AskedBefore
        _decide(facilitator_request, Decision.APPROVED, "", operator)
        holder = _create_holder(facilitator_request)
        if facilitator_request.answer_hash and settings.SECRET_QUESTIONS:
            credentials.set_answer_hash(holder, facilitator_request.question, facilitator_request.answer_hash)
        until = send_temporary_key(holder, quota="")
        variables = {"folio": facilitator_request.folio, "name": holder.full_name, "until": until}
        outbox.send(
            facilitator_request.company, "facilitator_approved", variables, email=facilitator_request.company.email
        )
        audit.record("facilitator.approved", context, holder=holder, folio=facilitator_request.folio, operator=operator)
        audit.record(
            "facilitator.approved",
            context,
            holder=facilitator_request.company,
            folio=facilitator_request.folio,
            operator=operator,
        )
    return holder


def _create_holder(facilitator_request: FacilitatorRequest) -> Holder:
    """Create the holder, whose document a reviewer has checked, or complete an account of the legacy system."""
    holder, existing = facilitator_request.holder, find(Profile.FACILITADOR, facilitator_request.identifier)
    holder.verification, holder.no_mobile = Verification.DECLARED, True
    holder.created_at = holder.updated_at = clock.now()
    if existing:
        holder.pk, holder.created_at = existing.pk, existing.created_at
    holder.save(force_insert=existing is None, force_update=existing is not None)
    return holder


def reject(facilitator_request: FacilitatorRequest, reason: str, operator: str, context: RequestContext) -> None:
    """Reject the request and notify the company and the facilitator of the reason. Raises `Decided`."""
    with transaction.atomic():
        _decide(facilitator_request, Decision.REJECTED, reason, operator)
        variables = {"folio": facilitator_request.folio, "reason": reason}
        outbox.send(
            facilitator_request.company, "facilitator_rejected", variables, email=facilitator_request.company.email
        )
        variables = {**variables, "company": facilitator_request.company.names}
        with suppress(outbox.TooManyMessages):  # the address was typed by the company and is not verified
            outbox.send(
                None, "facilitator_rejected_person", variables, email=facilitator_request.email, quota="facilitator"
            )
        audit.record(
            "facilitator.rejected",
            context,
            holder=facilitator_request.company,
            folio=facilitator_request.folio,
            operator=operator,
        )


def _decide(facilitator_request: FacilitatorRequest, state: Decision, reason: str, operator: str) -> None:
    pending = FacilitatorRequest.objects.filter(pk=facilitator_request.pk, state=Decision.PENDING)
    if not pending.update(state=state, reason=reason, decided_by=operator, decided_at=clock.now()):
        raise Decided


def own_facilitator(company: Holder, identifier: str, context: RequestContext) -> Holder:
    """Return a facilitator approved at this company's request. Raises `Refused`."""
    holder = find(Profile.FACILITADOR, identifier)
    approved = FacilitatorRequest.objects.filter(company=company, identifier=identifier, state=Decision.APPROVED)
    if holder is None or not approved.exists():
        audit.record("key.recovery", context, holder=company, outcome="not_own_facilitator")
        raise Refused(
            "not_own_facilitator",
            _("Su empresa no tiene un facilitador aprobado con este documento. Revise el tipo y el número."),
            field="document",
        )
    return holder


def send_key(holder: Holder, context: RequestContext) -> FacilitatorKeySent:
    """Send a temporary key to a company's `own_facilitator`. Raises `AccountChanged`, `TooManyMessages`."""
    with transaction.atomic():
        holder = lock(holder)
        until = send_temporary_key(holder, quota="company")
        audit.record("key.recovery", context, holder=holder, proof="company")
    return FacilitatorKeySent(email=masked_email(holder.email), until=until)
