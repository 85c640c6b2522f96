"""A company asks for a foreign facilitator's CS; a reviewer decides. Source: mission.md, section 6; FAQ of the LCE."""

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
    """The request awaits a reviewer; its folio says which."""

    kind: ClassVar[str] = "request_filed"
    folio: str
    email: str


@dataclass(frozen=True)
class FacilitatorKeySent(Outcome):
    """A temporary key went to the facilitator."""

    kind: ClassVar[str] = "facilitator_key_sent"
    email: str
    until: str


class Decided(Refused):
    """Another reviewer has decided this request."""

    status = 409

    def __init__(self) -> None:
        super().__init__("already_decided", _("Otra persona ya resolvió esta solicitud."))


class AskedBefore(Refused):
    """The company's owner has come back since: whoever asked may not have been the company."""

    status = 409

    def __init__(self) -> None:
        super().__init__(
            "asked_before",
            _("La empresa recuperó su cuenta después de esta solicitud. Rechácela: la empresa puede pedirla otra vez."),
        )


def prove_company(claim: ClaimedIdentity, key: str, context: RequestContext) -> Holder:
    """Check a company's key as one that may ask. Raises `WrongKey`, `TooManyAttempts`, `MinimumDataMissing`."""
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
    done = isolated_process.run(
        "clave.selfservice.facilitators.letter", content=json.dumps(values).encode(), timeout=30
    )
    done.check_returncode()
    return done.stdout


def describe(data: CleanedData) -> FacilitatorRequest:
    """Return a request, not stored yet, for the person whom `data` describes. Raises `Refused` for a registered one."""
    earlier = find(Profile.FACILITADOR, data["identifier"])
    if earlier and not earlier.legacy:
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
    asked: FacilitatorRequest,
    company: Holder,
    representative: str,
    papers: tuple[Document, Document],
    context: RequestContext,
) -> RequestFiled:
    """Store the request with its affidavit and identity document and tell the company its folio. Raises `Refused`."""
    asked.company, asked.representative = company, representative
    asked.affidavit, asked.identity = papers
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
            for paper in papers:
                documents.take(paper)
            outcome = RequestFiled(folio=asked.folio, email=masked_email(company.email))
            outbox.send(company, "facilitator_asked", {"folio": asked.folio}, email=company.email)
            audit.record("facilitator.asked", context, holder=company, folio=asked.folio)
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
    found = FacilitatorRequest.objects.select_related("company", "affidavit", "identity").filter(pk=int(number)).first()
    right = found and found.folio == folio.strip() and company in ("", found.company.identifier)
    return found if right else None


def approve(asked: FacilitatorRequest, operator: str, context: RequestContext) -> Holder:
    """Make the facilitator a holder with a temporary key, told to it alone; tell the company. Raises `Decided`."""
    with transaction.atomic():
        taken_back = Holder.objects.values_list("recovered_at", flat=True).get(pk=asked.company_id)
        if taken_back and asked.created_at < taken_back:
            raise AskedBefore
        _decide(asked, Decision.APPROVED, "", operator)
        holder = _made_holder(asked)
        if asked.answer_hash and settings.SECRET_QUESTIONS:
            credentials.set_answer_hash(holder, asked.question, asked.answer_hash)
        until = send_temporary_key(holder, quota="")
        told = {"folio": asked.folio, "name": holder.full_name, "until": until}
        outbox.send(asked.company, "facilitator_approved", told, email=asked.company.email)
        audit.record("facilitator.approved", context, holder=holder, folio=asked.folio, operator=operator)
        audit.record("facilitator.approved", context, holder=asked.company, folio=asked.folio, operator=operator)
    return holder


def _made_holder(asked: FacilitatorRequest) -> Holder:
    """Store the facilitator, whose document a reviewer has read; an account of the old system is filled."""
    holder, earlier = asked.holder, find(Profile.FACILITADOR, asked.identifier)
    holder.verification, holder.no_mobile = Verification.DECLARED, True
    holder.created_at = holder.updated_at = clock.now()
    if earlier:
        holder.pk, holder.created_at = earlier.pk, earlier.created_at
    holder.save(force_insert=earlier is None, force_update=earlier is not None)
    return holder


def reject(asked: FacilitatorRequest, reason: str, operator: str, context: RequestContext) -> None:
    """Refuse the request for a reason that the company and the facilitator are told. Raises `Decided`."""
    with transaction.atomic():
        _decide(asked, Decision.REJECTED, reason, operator)
        told = {"folio": asked.folio, "reason": reason}
        outbox.send(asked.company, "facilitator_rejected", told, email=asked.company.email)
        company = {**told, "company": asked.company.names}
        with suppress(outbox.TooManyMessages):  # the company named this address
            outbox.send(None, "facilitator_rejected_person", company, email=asked.email, quota="facilitator")
        audit.record("facilitator.rejected", context, holder=asked.company, folio=asked.folio, operator=operator)


def _decide(asked: FacilitatorRequest, state: Decision, reason: str, operator: str) -> None:
    waits = FacilitatorRequest.objects.filter(pk=asked.pk, state=Decision.PENDING)
    if not waits.update(state=state, reason=reason, decided_by=operator, decided_at=clock.now()):
        raise Decided


def own_facilitator(company: Holder, identifier: str, context: RequestContext) -> Holder:
    """Return a facilitator for whom this company has asked. Raises `Refused`."""
    holder = find(Profile.FACILITADOR, identifier)
    own = FacilitatorRequest.objects.filter(company=company, identifier=identifier, state=Decision.APPROVED).exists()
    if holder is None or not own:
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
