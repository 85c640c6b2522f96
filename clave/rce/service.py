"""Use cases of the protocol: a request waits while its participant signs in, and is then carried out once."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F

from clave.attendance import sessions
from clave.attendance.models import EndKind, SessionStart
from clave.audit import service as audit
from clave.credentials.service import Proof
from clave.db.hot_queries import Lookup
from clave.holders.models import Holder
from clave.holders.service import find_person
from clave.lib import clock
from clave.lib.crypto import is_keyed_hash, keyed_hash, random_id
from clave.lib.outcome import Refused
from clave.lib.request_context import RequestContext
from clave.rce import checks, observers, pending_limits, receipts, replies, trial_ids
from clave.rce.codes import GLOSAS
from clave.rce.models import PendingRequest
from clave.rce.replies import Answer
from clave.rce.request import SESSION, RceRequest, split_url
from clave.signin import service as signin
from clave.training import tokens

STRICT_WAIT = timedelta(minutes=3)
STRICT_FAILURES = 3
PATIENCE = timedelta(hours=1)
PROOF_LASTS = timedelta(minutes=15)
_BROWSER_LENGTH = 32
_PENDING = Lookup(lambda pk: PendingRequest.objects.select_related("token__otec").filter(pk=pk), "pk")
_LOCKED = Lookup(lambda pk: PendingRequest.objects.select_for_update().filter(pk=pk), "pk")
# Id prefix of requests that close a session: the gate gives them priority (`CLAVE_URGENT_PATHS`).
CLOSING_ID_PREFIX = "c105e"
log = structlog.get_logger(__name__)


class NotYours(Refused):
    """Somebody other than the participant signed in to close a session."""

    status = 403

    def __init__(self) -> None:
        super().__init__("not_yours", str(GLOSAS[311]))


def receive(request: RceRequest, secret: str, address: str) -> PendingRequest | Answer:
    """Check a request as far as possible without an identity: store it until the participant signs in, or answer it.

    Only a browser that presents `secret` may continue the stored request.
    """
    try:
        override = observers.overridden(request)
        failed = [override] if override else checks.codes(request)
        if not failed and not pending_limits.try_admit(request, address):
            failed = [300]
        if not failed and request.token:
            tokens.record_use(request.token, request["Token"])
            pending = PendingRequest(
                id=_closing_id() if request.closing and not request.testing else random_id(),
                environment=request.environment,
                closing=request.closing,
                fields={name: text for name, text in request.fields.items() if name != "Token"},
                token=request.token,
                course=request.action.name if request.action else "",
                browser=_browser_of(secret),
                created_at=clock.now(),
            )
            pending.save(force_insert=True)
            observers.observe(pending.pk, request, None)
            return pending
    except Exception:  # whatever happens, the platform must get a response
        log.exception("rce.failed")
        failed = [300]
    log.info("rce.refused", codes=failed, environment=request.environment, closing=request.closing)
    answer = replies.refused(request, failed)
    observers.observe("", request, answer)
    return answer


def _closing_id() -> str:
    """Return an id the gate recognises as closing a session; 108 random bits remain."""
    return CLOSING_ID_PREFIX + random_id()[len(CLOSING_ID_PREFIX) :]


def find(pk: str, secret: str) -> PendingRequest | None:
    """Return the pending request if `secret` is the one given to its browser."""
    pending = _PENDING.one(pk)
    return pending if pending and is_keyed_hash(pending.browser, "exchange", secret, length=_BROWSER_LENGTH) else None


def _browser_of(secret: str) -> str:
    return keyed_hash("exchange", secret)[:_BROWSER_LENGTH]


def request_of(pending: PendingRequest) -> RceRequest:
    """Rebuild the request stored in a pending exchange."""
    sent = {**pending.fields, "Token": pending.token.hint}
    return RceRequest(pending.environment, pending.closing, sent, pending.token)


def host_of(pending: PendingRequest) -> str:
    """Return the host the participant returns to."""
    parts = split_url(pending.fields["UrlRetoma"])
    return parts.netloc if parts else ""


def is_strict(pending: PendingRequest) -> bool:
    return settings.RCE_SIGNIN[pending.environment] == "strict"


def expiry_code(pending: PendingRequest) -> int | None:
    """Return the code for an exchange that has expired: 210 after three minutes, 312 in the patient variant."""
    waited = clock.now() - pending.created_at
    if is_strict(pending) and waited > STRICT_WAIT:
        return 210
    return 312 if waited > PATIENCE else None


def has_recent_proof(pending: PendingRequest) -> bool:
    """Return whether the participant has just signed in and the account's version is unchanged since."""
    if pending.proved_at is None or clock.now() - pending.proved_at > PROOF_LASTS:
        return False
    run = request_of(pending).run
    holder = find_person(run) if run else None
    return holder is not None and holder.version == pending.proved_version


@transaction.atomic
def refuse(pending: PendingRequest, code: int) -> None:
    """Answer a pending request with an error, unless it has been answered already."""
    if not _lock_and_check_answered(pending):
        _answer(pending, replies.refused(request_of(pending), [code]))


def count_failure(pending: PendingRequest) -> None:
    """Count a wrong key; in the strict variant the third one ends the exchange with 100."""
    PendingRequest.objects.filter(pk=pending.pk).update(failures=F("failures") + 1)
    pending.refresh_from_db(fields=["failures"])
    if is_strict(pending) and pending.failures >= STRICT_FAILURES:
        refuse(pending, 100)


def signed_in(pending: PendingRequest, proof: Proof, context: RequestContext) -> None:
    """Carry out a request for a participant who has just signed in. Raises `MinimumDataMissing`.

    Afterwards it is answered, unless the participant must first choose what to do with an open session.
    """
    signin.let_in(proof, context)
    _carry_out(pending, proof.holder, context, "")


def choose(pending: PendingRequest, previous: str, context: RequestContext) -> None:
    """Carry out an opening after closing (`cerrar`) or abandoning (`abandonar`) the open session."""
    run = request_of(pending).run
    _carry_out(pending, find_person(run) if run else None, context, previous)


def close_own_session(opening: SessionStart, proof: Proof, context: RequestContext) -> None:
    """Close a session on its own page. Raises `NotYours`, `MinimumDataMissing`."""
    if proof.holder.identifier != opening.enrolment.run:
        raise NotYours
    with transaction.atomic():
        signin.let_in(proof, context)
        ending = sessions.close(opening, context.address)
        code = opening.enrolment.action.code
        audit.record(
            f"attendance.{ending.kind}", context, holder=proof.holder, action_code=code, seconds=ending.seconds
        )


def _carry_out(pending: PendingRequest, holder: Holder | None, context: RequestContext, previous: str) -> None:
    try:
        with transaction.atomic():
            if not _lock_and_check_answered(pending):
                _perform(pending, holder, context, previous)
    except sessions.AlreadyOpen:
        _record_proof(pending, holder)
    except DatabaseError:
        log.exception("rce.not_stored")
        refuse(pending, 305)


@transaction.atomic
def _record_proof(pending: PendingRequest, holder: Holder | None) -> None:
    """Record the sign-in, so that the participant can choose what to do with the open session (`has_recent_proof`)."""
    if not _lock_and_check_answered(pending):
        pending.proved_at, pending.proved_version = clock.now(), holder.version if holder else 0
        pending.save(update_fields=["proved_at", "proved_version"])


def _lock_and_check_answered(pending: PendingRequest) -> bool:
    """Lock a pending request; return whether it was answered concurrently (a second click, for instance)."""
    locked = _LOCKED.one(pending.pk)
    pending.answer = locked.answer if locked else None
    return pending.answer is not None


def _answer(pending: PendingRequest, answer: Answer) -> None:
    pending.answer = answer
    pending.save(update_fields=["answer"])
    if observers.observers:
        observers.observe(pending.pk, request_of(pending), answer)


def _perform(pending: PendingRequest, holder: Holder | None, context: RequestContext, previous: str) -> None:
    """Open or close. The checks run again, because a token may have been revoked since the request arrived.

    Raises `AlreadyOpen`, which rolls the transaction back.
    """
    request = request_of(pending)
    codes = checks.codes(request)[:1]
    if codes:
        _answer(pending, replies.refused(request, codes))
    elif request.testing:
        _answer(pending, _simulate(request))
    elif request.closing:
        _answer(pending, _close(request, holder, context))
    else:
        _answer(pending, _open(request, holder, context, previous))


def _simulate(request: RceRequest) -> Answer:
    """Respond as production would, but store nothing."""
    if request.tested:
        seconds = int((request.now - request.tested).total_seconds())
        answer = replies.closed(request, request.now, seconds, 0)
        return _with_receipt(answer, request, request[SESSION], request.tested, (request.now, seconds))
    public = trial_ids.make(str(request.run), request["CodigoCurso"], request.now)
    answer = replies.opened(request, public, request.now, request.now + sessions.max_duration(request.line))
    return _with_receipt(answer, request, public, request.now)


def _with_receipt(
    answer: Answer, request: RceRequest, session: str, opened_at: datetime, ended: tuple[datetime, int] | None = None
) -> Answer:
    """Add a signed receipt to the documented fields, for an OTEC that has enabled receipts."""
    if request.token and request.token.otec.receipts:
        signed = receipts.receipt(request, str(answer["kind"]), session, opened_at, ended)
        answer["fields"].append((receipts.FIELD, signed))
    return answer


def _open(request: RceRequest, holder: Holder | None, context: RequestContext, previous: str) -> Answer:
    enrolment, token, course = request.enrolment, request.token, request["CodigoCurso"]
    if enrolment is None or token is None:
        return replies.refused(request, [300])
    active = sessions.active(enrolment) if previous else None
    if active:
        end = sessions.close if previous == "cerrar" else sessions.abandon
        ending = end(active.opening, context.address)
        audit.record(f"attendance.{ending.kind}", context, holder=holder, action_code=course)
    opening = sessions.open_session(enrolment, token, request["IdSesionAlumno"], context.address)
    audit.record("attendance.opened", context, holder=holder, action_code=course)
    answer = replies.opened(request, opening.public, opening.opened_at, opening.limit_at)
    return _with_receipt(answer, request, opening.public, opening.opened_at)


def _close(request: RceRequest, holder: Holder | None, context: RequestContext) -> Answer:
    opening, course = request.opening, request["CodigoCurso"]
    if opening is None:
        return replies.refused(request, [300])
    ending = sessions.close(opening, context.address)
    if ending.kind != EndKind.CLOSED:
        return replies.refused(request, [305])
    audit.record("attendance.closed", context, holder=holder, action_code=course, seconds=ending.seconds)
    answer = replies.closed(request, ending.at, ending.seconds, sessions.credited(opening.enrolment))
    return _with_receipt(answer, request, opening.public, opening.opened_at, (ending.at, ending.seconds))
